package relay

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/packetmem"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/relay/forward"
)

// checkedFor is how long metrics and /status show what the last check has found. A
// check really tries what must fail, which is some dozens of system calls.
const checkedFor = 10 * time.Second

// The controls that packet buffers have by the way they are made; the others are
// package lockdown's.
const (
	buffersLocked   = "packet_buffers_locked"
	buffersUndumped = "packet_buffers_undumped"
	buffersWiped    = "packet_buffers_wiped"
)

// Retention is which controls keep the relay from retaining anything, and whether
// they are in force. It is the document /retention.
//
// All of them must be, but one: to lock the whole memory, memory_locked, takes rights
// that a service need not have. Without it payload, which is in packet buffers alone,
// is locked by packet_buffers_locked; identities and addresses could be swapped out.
type Retention struct {
	Mode     lockdown.Mode      `json:"mode"`
	InForce  bool               `json:"in_force"` // all that must be
	At       time.Time          `json:"verified_at"`
	Controls []lockdown.Control `json:"controls"`
}

// NotInForce are the names of the controls that are not.
func (r *Retention) NotInForce() []string {
	names := []string{}
	for _, c := range r.Controls {
		if !c.InForce {
			names = append(names, c.Name)
		}
	}
	return names
}

// retention checks the controls, which it may do anew at any time.
type retention struct {
	// static
	plane *forward.Plane
	lock  *lockdown.Lockdown

	// guarded by mu
	mu   sync.Mutex
	last Retention
}

// check tries all controls anew.
func (r *retention) check() Retention {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checkLocked()
}

// recent is the last check, if it is not too old.
func (r *retention) recent() Retention {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last.At) < checkedFor {
		return r.last
	}
	return r.checkLocked()
}

func (r *retention) checkLocked() Retention {
	controls := slices.Concat(r.lock.Verify(), r.buffers())
	r.last = Retention{Mode: r.lock.Mode(), At: time.Now().UTC(), Controls: controls}
	r.last.InForce = !slices.ContainsFunc(controls, func(c lockdown.Control) bool { return !c.InForce && c.Name != lockdown.MemoryLocked })
	return r.last
}

// buffers are the controls of the packet buffers.
func (r *retention) buffers() []lockdown.Control {
	memory := r.plane.PacketBuffers()
	return []lockdown.Control{
		bufferControl(buffersLocked, memory.Locked(), "the kernel refused to drop a page of the packet buffers' memory, which is what locked memory gives"),
		bufferControl(buffersUndumped, memory.Undumped(), "the kernel took it, at the start, that the packet buffers' memory is left out of core dumps and child processes; it can't be asked again"),
		bufferControl(buffersWiped, memory.Wiped(), fmt.Sprintf("no socket's packet buffers were wiped late; they have been wiped %d times", r.plane.Stats().Wipes)),
	}
}

// bufferControl makes one of what the packet buffers say, nil if all is well.
func bufferControl(name string, err error, how string) lockdown.Control {
	if err == nil {
		return lockdown.Control{Name: name, InForce: true, How: how}
	}
	var lack *packetmem.Lack
	if !errors.As(err, &lack) {
		lack = &packetmem.Lack{Cause: err, Mend: "start the relay again"}
	}
	return lockdown.Control{Name: name, How: lack.Cause.Error(), Mend: lack.Mend}
}

// enter locks the process down: everything is open, and nothing has been read.
func (r *Relay) enter() error {
	lock, err := lockdown.Enter(r.cfg.Lockdown, r.needs())
	if err != nil {
		return err
	}
	r.retention = &retention{plane: r.plane, lock: lock}
	return r.sayRetention(r.retention.check())
}

// sayRetention is an error if what is required is not in force: then nothing is logged,
// since the relay does not run. Otherwise it shouts what is not as it should be.
func (r *Relay) sayRetention(state Retention) error {
	if state.Mode == lockdown.Require && !state.InForce {
		return lacking(state.Controls)
	}
	missing := state.NotInForce()
	r.log.Say(eventOf(state), telemetry.Code(telemetry.Mode, codeOfMode(state.Mode)),
		telemetry.Number(telemetry.Controls, len(state.Controls)), telemetry.Number(telemetry.NotInForce, len(missing)))
	if state.Mode == lockdown.Off { // the operator has said so: none is
		return nil
	}
	for _, name := range missing {
		r.log.Say(telemetry.ControlNotInForce, telemetry.Code(telemetry.Control, codeOfControl(name)))
	}
	return nil
}

// eventOf is what the log says of a relay that runs. Whatever is not require is a warning.
func eventOf(state Retention) telemetry.Event {
	switch {
	case state.Mode == lockdown.Off:
		return telemetry.LockdownOff
	case !state.InForce:
		return telemetry.LockdownIncomplete
	case state.Mode == lockdown.Prefer:
		return telemetry.LockdownPreferred
	}
	return telemetry.LockdownEntered
}

// lacking is one error for each control that must be in force and is not.
func lacking(controls []lockdown.Control) error {
	var errs []error
	for _, c := range controls {
		if !c.InForce && c.Name != lockdown.MemoryLocked {
			errs = append(errs, fmt.Errorf("%s is not in force: %s; to mend it: %s", c.Name, c.How, c.Mend))
		}
	}
	return errors.Join(errs...)
}

// needs is what a relay has to do while it runs: read its certificate again, and
// ask the issuer of accounts. One that has neither needs nothing. What names are
// resolved with goes without saying.
func (r *Relay) needs() lockdown.Needs {
	needs := lockdown.Needs{ReadDirs: r.certificate.folders()}
	if r.cfg.OIDC.Issuer == "" {
		return needs
	}
	for _, port := range []uint16{portOf(r.cfg.OIDC.Issuer), 443} { // its keys may be on another host, at the usual port
		if !slices.Contains(needs.ConnectPorts, port) {
			needs.ConnectPorts = append(needs.ConnectPorts, port)
		}
	}
	return needs
}

// portOf is the port of a URL that was checked when the configuration was read.
func portOf(issuer string) uint16 {
	u, err := url.Parse(issuer)
	if err != nil {
		return 443
	}
	usual := "443"
	if u.Scheme == "http" {
		usual = "80"
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), usual), 10, 16)
	if err != nil {
		return 443
	}
	return uint16(port)
}

// usualLockdown is what a relay.yaml without the key says. Only Linux can be told
// to hold it all; elsewhere the relay runs, and shouts that it is not held.
func usualLockdown() lockdown.Mode {
	if runtime.GOOS == "linux" {
		return lockdown.Require
	}
	return lockdown.Prefer
}
