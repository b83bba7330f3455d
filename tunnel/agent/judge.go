package agent

import (
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
)

// The router's own judgement, which is final. It goes by what the router has
// learned of the device, not by what the grant says, and by what the device says
// in the tunnel; the relay's word counts only for what the relay alone can see.
//
//	look     what is shown against what was learned      → findings
//	rule     findings against the policy                 → ruling
//	judge    rule, remember, give a fresh grant if due   (this file, remember.go)
//	confirm  PIN or approval, learn, give a fresh grant  (confirm.go)

// learningTime is how long after its pairing a device may show its environment
// for the first time: whoever held the pairing URI was here.
const learningTime = time.Hour

// look compares what a device shows with what was learned about it.
func (a *Agent) look(c tunnel.Case, one PairedDevice, now time.Time) ecv.Findings {
	known, secret := accepted(one.Learned), [32]byte(one.Secret)
	found := ecv.CheckEvidence(c.Evidence, secret, known, a.maxAge(), shownAt(c, now))
	for f, id := range map[ecv.Feature]ecv.TagID{
		ecv.Account: c.Vouched.Account, ecv.Net: c.Vouched.Net, ecv.ASN: c.Vouched.ASN, ecv.Country: c.Vouched.Country,
	} {
		found[f] = ecv.CheckVouched(f, id, known)
	}
	// Without an account system the account is the device's key. The tunnel itself
	// has proved it; no relay need vouch for it. With one, a key is nobody's account,
	// even if it was learned as one before.
	if !c.Vouched.Accounts && known.Has(ecv.Account, ecv.ObservationKey(secret).TagID(ecv.Account, ecv.DeviceAccount(c.Device.Key))) {
		found[ecv.Account] = ecv.Matched
	}
	if p := c.Evidence.Place; p != nil && one.Place != nil && ecv.TooFar(ecv.Place(*one.Place), *p, float64(a.cfg.ECV.MaxSpeedKmh)) {
		found[ecv.Geo] = ecv.Impossible
	}
	return found
}

// shownAt is when the device has shown its evidence: now, if nobody knows better.
// A tunnel may live for longer than evidence is fresh.
func shownAt(c tunnel.Case, now time.Time) time.Time {
	if c.EvidenceAt.IsZero() {
		return now
	}
	return c.EvidenceAt
}

func (a *Agent) maxAge() time.Duration { return time.Duration(a.cfg.ECV.MaxAge) }

// current is the case without evidence that is too old at this time, or from its
// future: nothing is learned from that.
func (a *Agent) current(c tunnel.Case, at time.Time) tunnel.Case {
	found := ecv.CheckEvidence(c.Evidence, [32]byte{}, ecv.Accepted{}, a.maxAge(), at)
	if found[ecv.WiFi] != ecv.Unknown {
		c.Evidence.WiFi = nil
	}
	if found[ecv.Geo] != ecv.Unknown {
		c.Evidence.Place = nil
	}
	return c
}

// rule says what the device may do, service by service.
func (a *Agent) rule(c tunnel.Case, one PairedDevice, now time.Time) tunnel.Ruling {
	p := a.issuer.policy
	if p == nil {
		return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}}
	}
	r := tunnel.Ruling{Needed: p.Allow, PIN: a.hasPIN(), Approval: true, Services: make(map[string]ecv.Verdict)}
	if len(one.Learned) == 0 {
		r.Verdict, r.Reasons = ecv.StepUp, []ecv.Reason{ecv.NothingLearned}
		if now.Sub(one.PairedAt).Abs() < learningTime { // a clock that was set back opens no second window
			r.Verdict = ecv.Allow
		}
	} else {
		found := a.look(c, one, now)
		r.Judgement = p.JudgeSession(found, one.granted())
		for _, name := range a.cfg.serviceNames() {
			if one.mayHave(name) {
				r.Services[name] = p.JudgeService(found, name).Verdict
			}
		}
	}
	if r.Verdict > ecv.Deny {
		for _, name := range farewells {
			r.Services[name] = ecv.Allow
		}
	}
	return r
}

func (a *Agent) hasPIN() bool {
	set, err := a.pins.IsSet()
	if err != nil {
		a.log.Error("the PIN can't be read, so it lets nobody in", "error", err)
	}
	return set
}

// carried is the ruling on a session that the relay carries within the limits of
// a step-up: what is allowed here would break off there. The device dials again
// with the fresh grant, or learns why that would not help.
func carried(r tunnel.Ruling) tunnel.Ruling {
	r.Verdict, r.Reasons = ecv.StepUp, append(slices.Clone(r.Reasons), ecv.RelayLimited)
	services := make(map[string]ecv.Verdict)
	for name, v := range r.Services {
		services[name] = min(v, ecv.StepUp)
	}
	for _, name := range farewells {
		services[name] = ecv.Allow
	}
	r.Services = services
	return r
}

// mayAll tells whether nothing that the policy guards is closed to the device.
func (a *Agent) mayAll(c tunnel.Case, one PairedDevice, now time.Time) bool {
	p, found := a.issuer.policy, a.look(c, one, now)
	refused := func(d ecv.Demand) bool { return p.JudgeService(found, d.Service).Verdict != ecv.Allow }
	return p.Judge(found).Verdict == ecv.Allow && !slices.ContainsFunc(p.Services, refused)
}

// judge decides about a tunnel, remembers that, and gives the device a fresh
// grant if its own is out of date.
func (a *Agent) judge(c tunnel.Case) tunnel.Ruling {
	now, id := time.Now(), c.Device.ID()
	one, known := a.devices.get(id)
	if !known || !one.gave(c.Device.Grant.Serial) {
		return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Deny}}
	}
	r := a.rule(c, one, now)
	allowed := r.Verdict == ecv.Allow
	if allowed && c.Vouched.Limited {
		r = carried(r)
	}
	event := journal.Opened
	if c.Again {
		event = journal.Moved
	}
	a.noteAbout(journal.Entry{
		At: now, Device: id, Event: event, Verdict: r.Verdict.String(),
		Score: int(r.Score), Needed: int(r.Needed), Reasons: words(r.Reasons),
	})
	a.retire(c.Device)
	if allowed {
		var err error
		if r.Grant, err = a.remember(c, false, now); err != nil {
			a.log.Error("nothing learned of a device", "error", err)
		}
	}
	return r
}

// retire takes back the grant before the one that the device shows.
func (a *Agent) retire(d tunnel.Device) {
	changed, err := a.devices.retire(d.ID(), d.Grant.Serial)
	if err != nil {
		a.log.Error("older grant not taken back", "error", err)
	}
	if changed {
		a.streams.Go(a.announce)
	}
}

// note writes a decision into the journal.
func (a *Agent) note(e journal.Entry) {
	if err := a.journal.Add(e); err != nil {
		a.log.Warn("decision not logged", "error", err)
	}
}

// noteAbout notes it about a device that is on the list; what is removed, and
// perhaps forgotten, at this moment is not written down again.
func (a *Agent) noteAbout(e journal.Entry) { a.devices.ifKnown(e.Device, func() { a.note(e) }) }

func words(reasons []ecv.Reason) []string {
	var all []string
	for _, r := range reasons {
		all = append(all, string(r))
	}
	return all
}
