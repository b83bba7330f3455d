package main

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/relay/control"
)

func explainCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain ID --config FILE",
		Short: "Print all that the running relay holds about a router, device or address",
		Long: `Print everything that the relay that runs with this configuration holds, now, about
a router (its RouterID), a device (its DeviceID) or an address (with or without a
port). This is all there is: nothing is on disk, and of what has ended nothing is kept
but what it prints.

What is on its way through at this moment is not listed: datagrams in packet buffers,
which are wiped within 200 ms, and what QUIC keeps of a closed connection, for
seconds. That the relay holds nothing is said, with exit code 0; in JSON "nothing" is
true then.`,
		Example: `  lethe-relay explain 192.0.2.1 --config /etc/lethe/relay.yaml
  lethe-relay explain "$(cat router-id)" --config /etc/lethe/relay.yaml --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := relay.CheckSubject(args[0]); err != nil {
				return &cli.UsageError{Err: fmt.Errorf("can't explain %q: %w", args[0], err)}
			}
			cfg, err := relay.LoadConfig(path)
			if err != nil {
				return err
			}
			e, err := cfg.AskExplain(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, e)
			}
			printExplanation(cmd.OutOrStdout(), e)
			return nil
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func printExplanation(w io.Writer, e *control.Explanation) {
	if e.Nothing {
		fmt.Fprintf(w, "the relay holds nothing about the %s %s\n", e.Kind, e.About)
	} else {
		fmt.Fprintf(w, "what the relay holds about the %s %s\n", e.Kind, e.About)
	}
	for _, c := range e.Connections {
		printConnection(w, c)
	}
	for _, s := range e.Sessions {
		printSession(w, s)
	}
	for _, r := range e.Revocations {
		printRevoked(w, r)
	}
	for _, c := range e.Counts {
		fmt.Fprintf(w, "count: %s: %.0f\n", c.What, math.Floor(c.Now))
	}
	if e.Place != nil {
		fmt.Fprintf(w, "not held, but in the relay's MaxMind files: network AS%d, country %s\n", e.Place.ASN, orNone(e.Place.Country))
	}
}

func printConnection(w io.Writer, c control.Connection) {
	as := "a control connection"
	if c.Registered {
		as = "the control connection of a registered router"
	}
	fmt.Fprintf(w, "connection: %s\n  from %s; requests being answered: %d\n  router %s\n  device %s (the same key as a device's)\n",
		as, c.Address, c.Requests, c.Router, c.Device)
	if c.Number > 0 || c.Revoked > 0 {
		fmt.Fprintf(w, "  its list %d of void grants names %d devices\n", c.Number, c.Revoked)
	}
}

func printSession(w io.Writer, s control.Session) {
	fmt.Fprintf(w, "session: active %s\n  router %s\n  device %s\n", local(s.Active), s.Router, s.Device)
	printLeg(w, "router's", s.RouterLeg)
	printLeg(w, "device's", s.DeviceLeg)
	if s.Limit != nil {
		fmt.Fprintf(w, "  limited to %d bytes, of which %d are used, until %s\n", s.Limit.Bytes, s.Limit.Used, local(s.Limit.Until))
	}
	if s.Waiting != nil {
		fmt.Fprintf(w, "  address yet to be judged: %s\n", s.Waiting)
	}
	if s.Evidence == nil {
		fmt.Fprintln(w, "  no evidence: the session is for pairing")
		return
	}
	e := s.Evidence
	fmt.Fprintf(w, "  judged: %s; the grant's services: %s; its policy: %s; hashes of what the router accepts: %d\n",
		e.Verdict, orNone(strings.Join(e.Services, ", ")), yesNo(e.Policy), e.Accepted)
	fmt.Fprintf(w, "  proofs: %s; vouched for, blinded: %s; the device's observation key: %s\n",
		orNone(strings.Join(e.Proofs, ", ")), orNone(strings.Join(e.Vouched, ", ")), yesNo(e.Key))
	fmt.Fprintf(w, "  seen of the device: network %s, AS%d, country %s\n", orNone(e.Network), e.ASN, orNone(e.Country))
}

func printLeg(w io.Writer, whose string, l control.Leg) {
	at := "bound to no address"
	if l.Address.IsValid() {
		at = "at " + l.Address.String()
	}
	fmt.Fprintf(w, "  %s leg %s: %s; %d datagrams, %d bytes sent", whose, l.ID, at, l.Datagrams, l.Bytes)
	if !l.Heard.IsZero() {
		fmt.Fprintf(w, "; BIND %d at %s", l.Counter, local(l.Heard))
	}
	if l.Judged != (netip.Addr{}) {
		fmt.Fprintf(w, "; last judged at %s", l.Judged)
	}
	fmt.Fprintln(w)
}

func printRevoked(w io.Writer, r control.Revoked) {
	fmt.Fprintf(w, "void grants: list %d, which names %d devices, %s", r.Number, r.Devices, r.Of)
	if r.Serial > 0 {
		fmt.Fprintf(w, "; of this device up to serial %d", r.Serial)
	}
	if !r.Until.IsZero() {
		fmt.Fprintf(w, "; kept until %s at most", local(r.Until))
	}
	fmt.Fprintln(w)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
