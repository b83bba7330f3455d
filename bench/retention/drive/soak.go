package drive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/canary"
)

const (
	soakLook    = 10 * time.Second // between two looks at the relay
	soakRenewal = time.Minute      // between two certificates
	soakGroup   = 20               // sessions that are opened and closed with each
	reloadTime  = 10 * time.Second // from SIGHUP to the new certificate

	// What may be more at the end than at the beginning.
	moreFiles  = 4
	moreMemory = 32 << 20 // bytes
)

// Soaked is what a soak has come to.
type Soaked struct {
	Minutes  float64  `json:"minutes"`
	Relayed  uint64   `json:"relayed_bytes"`
	Checked  uint64   `json:"checked_bytes"` // one by one, at the far end
	Looks    []Look   `json:"looks"`
	Reloads  int      `json:"reloads"`  // after which handshakes got the new certificate
	Sessions int      `json:"sessions"` // opened and closed meanwhile
	Failures []string `json:"failures,omitempty"`
}

// Look is what the relay is like at one time.
type Look struct {
	At       float64  `json:"at"` // seconds
	GbitPerS float64  `json:"gbit_per_s"`
	Files    int      `json:"descriptors"`
	Memory   int64    `json:"resident_bytes"`
	Controls int      `json:"controls_in_force"`
	Missing  []string `json:"not_in_force,omitempty"`
}

// soak is one soak.
type soak struct {
	*stage
	relay  *Relay
	issuer *authority
	result Soaked
	start  time.Time
	last   reading
}

// Soak runs a relay at full load for so long, renews its certificate each minute,
// and looks at it every ten seconds. An error says that it could not be done.
func Soak(ctx context.Context, l Launch, cpus []int, length time.Duration, progress func(string)) (*Soaked, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &soak{stage: &stage{ctx: ctx, key: canary.NewKey(), cpus: cpus}}
	var err error
	if s.issuer, err = newAuthority(l.Dir, loopback()); err != nil {
		return nil, err
	}
	l.Settings = map[string]string{"certificate": certificateFile, "certificate_key": certKeyFile}
	if s.relay, err = Start(ctx, l); err != nil {
		return nil, err
	}
	defer s.relay.Stop()
	for _, out := range []io.Reader{s.relay.Out, s.relay.Err} {
		go io.Copy(io.Discard, out) // until the relay ends
	}
	if err := s.relay.Ready(ctx); err != nil {
		return nil, err
	}
	if s.url, err = s.pinned(); err != nil {
		return nil, err
	}
	loads, err := s.load()
	defer func() {
		for _, g := range loads {
			g.leave()
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := s.run(length, progress); err != nil {
		return nil, err
	}
	return s.finish(loads)
}

// pinned is the relay's URL with a pin: the certificate is from files, and from
// nobody whom this machine trusts.
func (s *soak) pinned() (string, error) {
	url, err := auth.ParseRelayURL(s.relay.URL)
	if err != nil {
		return "", err
	}
	url.Pin, err = s.issuer.pin()
	return url.String(), err
}

func (s *soak) load() (loads []*group, err error) {
	full, err := s.openFull(costSessions)
	if err != nil {
		return []*group{full}, err
	}
	tunnels, err := s.open(Closed, 2, true)
	return []*group{full, tunnels}, err
}

// run looks and renews until the time is over.
func (s *soak) run(length time.Duration, progress func(string)) (err error) {
	s.start = time.Now()
	if s.last, err = s.relay.read(s.ctx); err != nil {
		return err
	}
	renewal := s.start.Add(min(soakRenewal, length/2))
	for next := s.start.Add(soakLook); time.Since(s.start) < length; next = next.Add(soakLook) {
		if err := wait(s.ctx, time.Until(next)); err != nil {
			return err
		}
		if err := s.look(progress); err != nil {
			return err
		}
		if time.Now().Before(renewal) {
			continue
		}
		renewal = renewal.Add(soakRenewal)
		if err := errors.Join(s.renew(), s.churn()); err != nil {
			return err
		}
	}
	return nil
}

func (s *soak) fail(format string, args ...any) {
	what := fmt.Sprintf("%.0f s: ", time.Since(s.start).Seconds()) + fmt.Sprintf(format, args...)
	s.result.Failures = append(s.result.Failures, what)
}

// look asks the relay, and the kernel about it.
func (s *soak) look(progress func(string)) error {
	now, err := s.relay.read(s.ctx)
	if err != nil {
		return fmt.Errorf("the relay's metrics: %w", err)
	}
	l := Look{At: now.at.Sub(s.start).Seconds()}
	l.GbitPerS = float64(now.bytes-s.last.bytes) * 8 / 1e9 / now.at.Sub(s.last.at).Seconds()
	s.result.Relayed += now.bytes - s.last.bytes
	s.last = now
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.relay.PID))
	if err != nil {
		return err
	}
	l.Files = len(files)
	if l.Memory, err = proc.Resident(s.relay.PID); err != nil {
		return err
	}
	told, err := s.relay.Admin.Retention(s.ctx)
	if err != nil {
		return fmt.Errorf("GET /retention: %w", err)
	}
	for _, c := range told.Controls {
		if l.Controls++; !c.InForce {
			l.Controls--
			l.Missing = append(l.Missing, c.Name)
		}
	}
	switch {
	case l.Controls == 0:
		s.fail("no control is in force")
	case len(s.result.Looks) > 0 && !slices.Equal(l.Missing, s.result.Looks[0].Missing):
		// What this machine can't give at all the relay has told at its start, or refused to.
		s.fail("not in force: %v, and at first: %v", l.Missing, s.result.Looks[0].Missing)
	}
	if l.GbitPerS == 0 {
		s.fail("the relay carries nothing")
	}
	s.result.Looks = append(s.result.Looks, l)
	progress(fmt.Sprintf("%6.0f s  %.2f Gbit/s, %d controls in force, %d descriptors, %d MB, %d reloads",
		l.At, l.GbitPerS, l.Controls, l.Files, l.Memory>>20, s.result.Reloads))
	return nil
}

// renew gives the relay another certificate, and waits until handshakes get it.
func (s *soak) renew() error {
	if err := s.issuer.renew(); err != nil {
		return err
	}
	if err := s.relay.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	late := time.Now().Add(reloadTime)
	for {
		serial, err := s.shown()
		if err != nil {
			return err
		}
		if serial == s.issuer.serial {
			s.result.Reloads++
			return nil
		}
		if time.Now().After(late) {
			s.fail("%v after SIGHUP handshakes still get certificate %d, and not %d", reloadTime, serial, s.issuer.serial)
			return nil
		}
		if err := wait(s.ctx, lookEvery); err != nil {
			return err
		}
	}
}

// shown is the serial number of the certificate that a new connection gets.
func (s *soak) shown() (int64, error) {
	url, err := auth.ParseRelayURL(s.url)
	if err != nil {
		return 0, err
	}
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return 0, err
	}
	conn, err := bare.Dial(s.ctx, url, id, loopback())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.Certificate().SerialNumber.Int64(), nil
}

// churn opens and closes some sessions under the load.
func (s *soak) churn() error {
	s.groups = min(s.groups, maxGroups-2) // after so many, numbers are used again
	g, err := s.open(Closed, soakGroup, false)
	defer g.leave()
	if err != nil {
		return err
	}
	if err := wait(s.ctx, time.Second); err != nil {
		return err
	}
	if err := g.end(); err != nil {
		return err
	}
	s.tell(g)
	s.result.Sessions += g.sessions
	return nil
}

// tell takes what a group has carried.
func (s *soak) tell(g *group) {
	c, wrong := g.told()
	s.result.Checked += c.Checked
	for _, w := range wrong {
		s.fail("content: %s", w)
	}
}

func (s *soak) finish(loads []*group) (*Soaked, error) {
	s.result.Minutes = time.Since(s.start).Minutes()
	for _, g := range loads {
		if err := g.end(); err != nil {
			return nil, err
		}
		s.tell(g)
	}
	s.growth()
	if s.result.Reloads == 0 {
		s.fail("no certificate was reloaded")
	}
	return &s.result, nil
}

// growth compares the first quarter of the looks with the last, by their medians.
func (s *soak) growth() {
	looks := s.result.Looks
	quarter := max(len(looks)/4, 1)
	if len(looks) < 2 {
		s.fail("%d looks are too few to tell growth", len(looks))
		return
	}
	first, last := looks[:quarter], looks[len(looks)-quarter:]
	if from, to := medianOf(first, Look.files), medianOf(last, Look.files); to > from+moreFiles {
		s.fail("descriptors have grown from %d to %d", from, to)
	}
	if from, to := medianOf(first, Look.memory), medianOf(last, Look.memory); to > from+moreMemory {
		s.fail("resident memory has grown from %d MB to %d MB", from>>20, to>>20)
	}
}

func (l Look) files() int64  { return int64(l.Files) }
func (l Look) memory() int64 { return l.Memory }

func medianOf(looks []Look, of func(Look) int64) int64 {
	var values []int64
	for _, l := range looks {
		values = append(values, of(l))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
