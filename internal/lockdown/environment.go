package lockdown

import (
	"fmt"
	"slices"
	"strings"
)

// What the Go runtime reads when it starts, and only then.
const (
	traceback   = "GOTRACEBACK"
	godebug     = "GODEBUG"
	clobberFree = "clobberfree=1" // freed memory is overwritten by the garbage collector
	pureGo      = "netdns=go"     // the C library's resolver loads code when it is used, which is denied
)

// Environment makes the process fit to be locked down. A program calls it first thing, before it opens anything; a
// library does not. It executes the program anew (same process, same arguments) if the Go runtime has not been
// started with GOTRACEBACK=none and GODEBUG=clobberfree=1; closes descriptors that were left open by whoever started the
// program; and objects to what can't go with a lockdown:
// variables that have keys or traffic written to files, and a stdout or stderr that is a regular file.
//
// With Require an objection is the error. With Prefer warn gets it, as a sentence; the variables are left out when
// the program is executed anew. With Off nothing is done. On success it does not return in the first process.
func Environment(mode Mode, warn func(string)) error {
	if mode == Off {
		return nil
	}
	return environment(mode, warn)
}

// secretVariables have libraries write keys, or what is sent, to files or logs.
func secretVariables() []string {
	return []string{"SSLKEYLOGFILE", "QLOGDIR", "QUIC_GO_LOG_LEVEL"}
}

// objections are what is wrong with an environment, and what follows in this mode.
func objections(mode Mode, environ []string) (sentences []string) {
	follows := `unset it, or set "lockdown: off" in relay.yaml while you debug`
	if mode == Prefer {
		follows = "the relay runs without it"
	}
	for _, name := range secretVariables() {
		if value, _ := lookUp(environ, name); value != "" {
			sentences = append(sentences, fmt.Sprintf("the variable %s is set, which has secrets or traffic written down: %s", name, follows))
		}
	}
	return sentences
}

// fitEnvironment is environ with what the Go runtime must be started with, and without what is objected to. Applied again it changes nothing, so a
// program executes itself anew once at most.
func fitEnvironment(environ []string) []string {
	settings, _ := lookUp(environ, godebug)
	kept := slices.DeleteFunc(strings.Split(settings, ","), func(s string) bool {
		return s == "" || strings.HasPrefix(s, "clobberfree=") || strings.HasPrefix(s, "netdns=")
	})
	fit := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == traceback || name == godebug || slices.Contains(secretVariables(), name)
	})
	return append(fit, traceback+"=none", godebug+"="+strings.Join(append(kept, clobberFree, pureGo), ","))
}

// isFit tells whether the process was started with what fitEnvironment gives.
func isFit(environ []string) bool {
	fit := fitEnvironment(environ)
	for _, name := range append(secretVariables(), traceback, godebug) {
		was, _ := lookUp(environ, name)
		wanted, _ := lookUp(fit, name)
		if was != wanted {
			return false
		}
	}
	return true
}

// lookUp finds a variable. Of several by one name the first counts, as it does in Go.
func lookUp(environ []string, name string) (value string, ok bool) {
	for _, entry := range environ {
		if value, ok = strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
