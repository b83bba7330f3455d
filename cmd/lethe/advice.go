package main

import (
	"fmt"
	"slices"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
)

// advice says what to do to get in, the simplest first. There is none for who gets
// at everything already.
func advice(router string, w *word) []string {
	if w.in() {
		return []string{}
	}
	todo := []string{}
	if w.PIN {
		todo = append(todo, fmt.Sprintf("confirm with the router's PIN: lethe confirm %s", router))
	}
	if w.Approval {
		todo = append(todo, fmt.Sprintf("ask an owner to approve: lethe confirm %s --ask-owner", router))
	}
	for _, r := range w.Reasons {
		if f, state, ok := cli.ReasonState(r); ok {
			todo = append(todo, mend(router, f, state)...)
		}
	}
	slices.Sort(todo[min(len(todo), confirmations(w)):])
	todo = slices.Compact(todo)
	if w.Verdict == ecv.Deny.String() {
		todo = append(todo, "or pair again, at the router: lethe-agent pair")
	}
	return todo
}

func confirmations(w *word) (n int) {
	for _, taken := range []bool{w.PIN, w.Approval} {
		if taken {
			n++
		}
	}
	return n
}

// mend says how to make a feature match.
func mend(router string, f ecv.Feature, s ecv.State) []string {
	switch {
	case s == ecv.Matched:
		return nil
	case s == ecv.Invalid:
		return []string{"pair again: this device and the router no longer share a secret"}
	case s == ecv.Stale:
		return []string{"set this machine's clock"}
	case s == ecv.Impossible:
		return []string{"if you have travelled, wait and try again"}
	case s == ecv.Missing && !f.Claimed() && f != ecv.Account:
		return nil // the relay does not look at it
	case f == ecv.Account:
		return []string{fmt.Sprintf("log in, if the relay has accounts: lethe login %s", router)}
	case f == ecv.WiFi && s == ecv.Missing:
		return []string{"connect to a Wi-Fi that the router knows, or say which it is: --wifi-ssid and --wifi-bssid"}
	case f == ecv.WiFi:
		return []string{"connect to a Wi-Fi that the router knows"}
	case f == ecv.Geo && s == ecv.Missing:
		return []string{"say where you are: --location LAT,LON"}
	case f == ecv.Geo:
		return []string{"go to a place that the router knows"}
	}
	return []string{"use an internet connection that the router knows"}
}
