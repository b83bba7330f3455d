package control

import (
	"context"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// evidence is what the relay knows of a device's environment, and what that is
// judged by. It lives as long as its session and is wiped then. A pairing
// session has none: its evidence is nil.
type evidence struct {
	// demanded, by the grant
	policy   *ecv.Policy // nil: nothing is
	accepted ecv.Accepted
	services []string

	// claimed by the device, at the open
	proofs ecv.Findings // of wifi and geo

	// vouched for by the relay
	key     ecv.Key      // observation key; zero if the device lent none
	origin  origin       // where the device was last
	vouched wire.Vouched // what it is told of that, and of the account

	verdict ecv.Verdict // the worst so far
}

// origin is what the relay sees of a source address.
type origin struct {
	network string // see ecv.NetValue
	asn     uint32 // 0: not known
	country string // empty: not known
}

func (s *Server) originOf(addr netip.Addr) origin {
	asn, country := s.cfg.GeoIP.Lookup(addr)
	return origin{string(ecv.NetValue(addr)), asn, country}
}

// gather takes the evidence of an open. What the device claims must be bound to
// this very connection: a proof from any other is worth nothing here, which is
// what keeps stolen ones from being used.
func (s *Server) gather(ctx context.Context, device *peer, m *wire.Open, grant auth.Grant) (*evidence, error) {
	e := &evidence{policy: grant.Policy, accepted: grant.Accepted, services: grant.Services, key: m.ObservationKey}
	if e.policy != nil {
		binding, err := auth.ExportEvidence(device.conn.ConnectionState().TLS)
		if err != nil {
			return nil, err // with no binding, a proof would be good anywhere
		}
		e.checkProofs(m, ecv.Context{Binding: binding, Router: m.Router}, time.Now())
	}
	e.vouched.Accounts = s.cfg.Accounts != nil
	e.see(s.originOf(device.addr))
	if e.key != (ecv.Key{}) { // without it, nobody can be told whose account it is
		e.vouched.Account = wire.TagID(e.key.TagID(ecv.Account, s.accountOf(ctx, device, m.IDToken)))
	}
	return e, nil
}

func (e *evidence) checkProofs(m *wire.Open, here ecv.Context, now time.Time) {
	e.proofs[ecv.WiFi] = ecv.CheckProof(ecv.WiFi, m.WiFi, here, e.accepted, e.policy.MaxAge, now)
	e.proofs[ecv.Geo] = ecv.CheckProof(ecv.Geo, m.Geo, here, e.accepted, e.policy.MaxAge, now)
}

// accountOf returns whose device it is. A bad token is as good as none, and so is
// a good one whose issuer does not answer in time: the policy decides what that
// means. A token is bound to a device's key, so somebody else's is a bad one.
func (s *Server) accountOf(ctx context.Context, device *peer, token string) []byte {
	if s.cfg.Accounts == nil {
		return ecv.DeviceAccount(device.key)
	}
	if token == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeouts.account)
	defer cancel()
	issuer, subject, err := s.cfg.Accounts.Verify(ctx, token, auth.AccountNonce(device.key))
	if err != nil {
		return nil
	}
	return ecv.OIDCAccount(issuer, subject)
}

// see takes note of where the device is. Account stays: it moves with the device.
func (e *evidence) see(o origin) {
	e.origin = o
	e.vouched.Net = wire.TagID(e.key.TagID(ecv.Net, []byte(o.network)))
	e.vouched.ASN = wire.TagID(e.key.TagID(ecv.ASN, ecv.ASNValue(o.asn)))
	e.vouched.Country = wire.TagID(e.key.TagID(ecv.Country, ecv.CountryValue(o.country)))
}

// judge says what the grant's policy makes of the evidence. A grant without a
// policy demands nothing.
func (e *evidence) judge() ecv.Judgement {
	if e.policy == nil {
		return ecv.Judgement{Verdict: verdictNone}
	}
	found := e.proofs
	check := func(f ecv.Feature, id wire.TagID) { found[f] = ecv.CheckVouched(f, ecv.TagID(id), e.accepted) }
	check(ecv.Account, e.vouched.Account)
	check(ecv.Net, e.vouched.Net)
	check(ecv.ASN, e.vouched.ASN)
	check(ecv.Country, e.vouched.Country)
	j := e.policy.JudgeSession(found, e.services)
	if e.accepted.Equal(ecv.Accepted{}) {
		j.Reasons = append(j.Reasons, ecv.NothingLearned)
	}
	return j
}

// told is what the router is told: names of values, which say nothing to whoever
// has no pairing secret, and whether the session is limited.
func (e *evidence) told() (v wire.Vouched) {
	if e != nil {
		v = e.vouched
		v.Limited = e.verdict == ecv.StepUp
	}
	return v
}

// wipe forgets it all.
func (e *evidence) wipe() {
	if e != nil {
		*e = evidence{}
	}
}
