package tunnel

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Judging is how a router judges the environment of its devices. Both functions
// are called by many tunnels at once; those of one tunnel call Judge one at a
// time, and Confirm one at a time.
type Judging struct {
	// Judge decides about a tunnel: when it has been made, and again when its
	// device has another network. It must not be nil.
	Judge func(Case) Ruling

	// Confirm decides whether a device may come in although Judge has asked for
	// a step-up. An empty pin asks for the approval of an owner; Confirm may take
	// as long as ctx lets it, which ends when the device gives up, asks again, or
	// its tunnel ends. Its refusal is a [*RefusedError] with a code such as
	// pin_wrong. Nil confirms nothing.
	Confirm func(ctx context.Context, c Case, pin string) (Ruling, error)
}

// Case is what a router knows of a device's environment.
type Case struct {
	Device   Device
	Evidence ecv.Evidence // in clear, as the device shows it
	Vouched  Vouched      // what the relay says

	// EvidenceAt is when the evidence was shown. What it is worth is judged by
	// that time: a tunnel that has moved has a moment to show fresh evidence, and
	// until then is not worse off for being older than evidence may be.
	EvidenceAt time.Time

	Again bool // the tunnel has been judged before
}

// Vouched is what the relay says of a device's environment: which values it
// has, not what they are. A zero TagID is none.
type Vouched struct {
	Account, Net, ASN, Country ecv.TagID

	// Limited tells that the relay carries the session within the limits of a
	// step-up only. A router that allows more should say step up all the same,
	// with [ecv.RelayLimited] among its reasons: what it serves would stall.
	Limited bool

	// Accounts tells that the relay has an account system. Then the device's key
	// is no account.
	Accounts bool
}

func vouchedOf(v wire.Vouched) Vouched {
	return Vouched{ecv.TagID(v.Account), ecv.TagID(v.Net), ecv.TagID(v.ASN), ecv.TagID(v.Country), v.Limited, v.Accounts}
}

// Ruling is a router's word on a [Case].
type Ruling struct {
	ecv.Judgement
	Needed        uint16                 // the score that would be enough
	Services      map[string]ecv.Verdict // of the grant's services, by name; one that is not there is judged as the whole
	Grant         []byte                 // a fresh grant for the device, or nil
	PIN, Approval bool                   // the confirmations that are taken
}

func (r Ruling) of(service string) ecv.Verdict {
	if v, known := r.Services[service]; known {
		return v
	}
	return r.Verdict
}

// worseThan tells whether anything that was allowed before is not any more, or
// whether the whole got worse.
func (r Ruling) worseThan(before Ruling) bool {
	for _, services := range []map[string]ecv.Verdict{before.Services, r.Services} {
		for name := range services {
			if before.of(name) == ecv.Allow && r.of(name) < ecv.Allow {
				return true
			}
		}
	}
	return r.Verdict < before.Verdict
}

// message is the ruling as the device gets it.
func (r Ruling) message() *wire.Verdict {
	return &wire.Verdict{
		Verdict: wireVerdict(r.Verdict), Score: uint64(r.Score), Needed: uint64(r.Needed),
		Reasons: ecv.FormatReasons(r.Reasons), Grant: r.Grant, PIN: r.PIN, Approval: r.Approval,
		Withheld: strings.Join(r.withheld(), ","),
	}
}

// withheld are the services that are not allowed, by name; as many as a grant
// could list.
func (r Ruling) withheld() []string {
	var names []string
	for name, v := range r.Services {
		if v < ecv.Allow {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), auth.MaxServices)]
}

// judging is how this router judges. One that was not told to, allows all.
func (l *Listener) judging() Judging {
	if l.cfg.Judging == nil {
		return Judging{Judge: func(Case) Ruling { return Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}} }}
	}
	return *l.cfg.Judging
}

// verdictOf is the verdict of a wire number, and wireVerdict its inverse.
func verdictOf(n uint8) ecv.Verdict { return ecv.Verdict(n - wire.VerdictDeny) }

func wireVerdict(v ecv.Verdict) uint8 { return uint8(v) + wire.VerdictDeny }

// codeOfVerdict is why something is refused by a verdict that is not to allow it.
func codeOfVerdict(v ecv.Verdict) wire.Code {
	if v == ecv.Deny {
		return wire.CodeEnvDenied
	}
	return wire.CodeStepUpRequired
}
