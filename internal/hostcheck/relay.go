package hostcheck

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lethe-relay/lethe/internal/lockdown"
)

// leaking says what a variable lets the relay's libraries write out; empty: nothing.
func leaking(name, value string) (level Level, what string) {
	switch {
	case value == "":
		return "", ""
	case name == "SSLKEYLOGFILE":
		return Bad, "TLS keys would be written out"
	case name == "QLOGDIR":
		return Bad, "QUIC connections would be written out"
	case name == "GOTRACEBACK" && value != "none" && value != "0":
		return Advice, "a crash would print memory, if lockdown is off"
	}
	return "", ""
}

// environment looks at the variables that a relay would get from here, and at
// those of running ones. A relay that is locked down refuses them by itself.
func environment(e *examination) (found []Finding, err error) {
	look := func(variables []string, whose string) {
		for _, v := range variables {
			name, value, _ := strings.Cut(v, "=")
			if level, what := leaking(name, value); what != "" {
				found = append(found, Finding{Level: level,
					What: fmt.Sprintf("%s is set in the environment of %s: %s", name, whose, what),
					Mend: "unset " + name})
			}
		}
	}
	look(e.Environ, "this shell, and so of a relay that is started from it")
	for _, p := range e.processes {
		text, readErr := e.read(p.dir + "/environ")
		if err = readErr; err == nil {
			look(strings.Split(text, "\x00"), "the relay with process id "+p.id())
		}
	}
	return found, err
}

// output looks where running relays print to.
func output(e *examination) (found []Finding, _ error) {
	if len(e.processes) == 0 {
		return nil, errNoRelay
	}
	for _, p := range e.processes {
		for number, name := range map[string]string{"1": "stdout", "2": "stderr"} {
			info, err := fs.Stat(e.Root, p.dir+"/fd/"+number)
			if err != nil {
				return found, unreadable(err)
			}
			if info.Mode().IsRegular() {
				found = append(found, Finding{Level: Bad,
					What: fmt.Sprintf("%s of the relay with process id %s is a file", name, p.id()),
					Mend: "pipe it to a logger, or start the relay by deploy/systemd"})
			}
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(b.What, a.What) })
	return found, nil
}

func configuration(e *examination) ([]Finding, error) {
	if e.Relay.Config == "" {
		return nil, e.stateErr
	}
	if e.Relay.ConfigErr != nil {
		return one(Bad, "the relay would not start: "+e.Relay.ConfigErr.Error(), "change it, and ask again"), nil
	}
	return e.unwise(), nil
}

// unwise is what a configuration may say, but should not.
func (e *examination) unwise() (found []Finding) {
	if mode := e.Relay.Lockdown; mode != lockdown.Require && (e.state == nil || e.state.Mode != mode) { // else it is found with the controls
		found = append(found, Finding{Level: Bad,
			What: fmt.Sprintf("relay.yaml has lockdown: %s, so a relay would also run when nothing holds it", mode),
			Mend: "set lockdown in relay.yaml to require"})
	}
	if e.Relay.AdminTCP {
		found = append(found, Finding{Level: Advice,
			What: "the admin listener is a TCP port: any user of this machine can read the relay's counters there, and 'explain' does not answer",
			Mend: `set admin in relay.yaml to "unix:admin.sock"`})
	}
	return found
}

// files looks at who may read the relay's secrets.
func files(e *examination) (found []Finding, _ error) {
	if e.Relay.Config == "" {
		return nil, e.stateErr
	}
	var errs []error
	for _, name := range append([]string{e.Relay.Config}, e.Relay.Secrets...) {
		info, err := e.stat(name)
		if err != nil {
			errs = append(errs, unreadable(err))
			continue
		}
		if open := info.Mode().Perm() & 0o077; open != 0 {
			found = append(found, Finding{Level: Bad,
				What: fmt.Sprintf("others than its owner may use %s, which holds a secret (mode %#o)", name, info.Mode().Perm()),
				Mend: "chmod 600 " + name})
		}
	}
	return found, errors.Join(errs...)
}

// stat looks at a file by its path, from the root or from where we are.
func (e *examination) stat(name string) (fs.FileInfo, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(e.Root, strings.TrimPrefix(filepath.ToSlash(abs), "/"))
}

// port looks whether the relay's port is free, or the relay's.
func port(e *examination) ([]Finding, error) {
	if e.Relay.Config == "" || e.Relay.ConfigErr != nil {
		return nil, e.stateErr
	}
	if e.state != nil || e.Relay.Listen.Port() == 0 { // the relay has it, or none is chosen yet
		return nil, nil
	}
	for _, table := range []string{"udp", "udp6"} {
		text, err := e.readIn("proc/net", table)
		if err != nil {
			return nil, err
		}
		if holds(text, e.Relay.Listen.Port()) {
			return one(Bad, fmt.Sprintf("UDP port %d is held by a program that does not answer as this relay", e.Relay.Listen.Port()),
				fmt.Sprintf("'ss -ulpn sport = :%d' names it: end it, or change listen in relay.yaml", e.Relay.Listen.Port())), nil
		}
	}
	return nil, nil
}

// holds tells whether a table of sockets has one at a local port. Its second
// column is ADDRESS:PORT in hexadecimal.
func holds(table string, port uint16) bool {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && uint16(n) == port {
			return true
		}
	}
	return false
}

// controls asks the running relay what holds it.
func controls(e *examination) (found []Finding, _ error) {
	if e.state == nil {
		return nil, e.stateErr
	}
	if e.state.Mode != lockdown.Require {
		found = append(found, Finding{Level: Bad,
			What: fmt.Sprintf("the running relay has lockdown: %s, so it also runs when nothing holds it", e.state.Mode),
			Mend: "lockdown: require in relay.yaml, and start the relay again"})
	}
	for _, c := range e.state.Controls {
		level := Bad
		if c.Name == lockdown.MemoryLocked { // packet buffers have a control of their own, and need less
			level = Advice
		}
		if !c.InForce {
			found = append(found, Finding{Level: level, What: c.Name + " is not in force in the running relay: " + c.How, Mend: c.Mend})
		}
	}
	return found, nil
}
