package attacks

// An attack is what somebody tries, what stops it, and the test that shows that.
type attack struct {
	name    string // as SECURITY.md has it
	by      string // what stops it, for SECURITY.md
	file    string // with the defence, from the repository's root
	defence string // in the file, once
	without string // what stands there when the defence is gone
	pkg     string // with the test
	test    string // that fails then
}

var attacks = []attack{
	// grants
	{"a stolen grant without its key", "the grant names the key that TLS has proved",
		"auth/grantparse.go", "if !p.grant.Device.Equal(device) {", "if false {", "auth", "TestVerifyRefusesForgedContent"},
	{"a grant for another router", "the RouterID is the hash of the key that signed",
		"auth/grantparse.go", "if RouterIDOf(p.routerKey) != router {", "if false {", "auth", "TestVerifyRefusesAnotherRouter"},
	{"a forged or bit-flipped grant", "the router's signature",
		"auth/grantparse.go", "|| !ed25519.Verify(p.routerKey, p.signed, p.signature.Blob) {", "{", "auth", "TestVerifyRefusesEveryFlippedBit"},
	{"a grant re-signed by somebody else", "the router's signature, with the router's key inside",
		"auth/grantparse.go", "|| !ed25519.Verify(p.routerKey, p.signed, p.signature.Blob) {", "{", "auth", "TestVerifyRefusesTheRoutersKeyUnderAnothersSignature"},
	{"a grant in another encoding, truncated or lengthened", "each grant has one encoding",
		"auth/grantparse.go", "if !bytes.Equal(cert.Marshal(), raw) {", "if false {", "auth", "TestVerifyRefusesOtherEncodings"},
	{"a grant with a condition that cannot be checked", "unknown critical options are refused",
		"auth/grantoptions.go", `return fmt.Errorf("%w (%.64q)", ErrGrantUnknownCritical, name)`, "continue", "auth", "TestVerifyRefusesForgedContent"},
	{"a grant before or after its time", "the times, with two minutes for clocks that are ahead",
		"auth/grantparse.go", "if err := p.grant.checkTime(now); err != nil {", "if err := error(nil); err != nil {", "auth", "TestVerifyTime"},
	{"a grant with easier conditions", "policy and accepted tags are under the signature",
		"auth/grantparse.go", "|| !ed25519.Verify(p.routerKey, p.signed, p.signature.Blob) {", "{", "auth", "TestVerifyRefusesEasierConditions"},
	{"a service that the grant does not name", "the router reads the grant for each stream",
		"tunnel/listen.go", "if !s.device.Grant.Allows(s.service) {", "if false {", "tunnel", "TestStreamRefused"},
	{"a revoked grant", "relay and router refuse it, and the router's word is final",
		"tunnel/listen.go", "func (l *Listener) admits(d Device) bool { return l.cfg.Admit == nil || l.cfg.Admit(d) }",
		"func (l *Listener) admits(d Device) bool { return true }", "tunnel", "TestDialRefused"},
	{"a revoked grant, at the relay", "the router's list of revocations",
		"relay/control/open.go", "return nil, grant, wire.CodeGrantRevoked", "return router, grant, codeOK", "relay/control", "TestRevokedGrant"},
	{"a rolled-back revocation after the router was away", "the relay remembers the newest for half a day",
		"relay/control/register.go", "p.learn(s.departed.of(id, time.Now()))", "_ = id", "relay/control", "TestRevokedGrant"},
	{"a living tunnel of a device that was just revoked", "the router ends its tunnels",
		"tunnel/agent/manage.go", "listener.Disconnect(id)", "_ = listener", "tunnel/agent", "TestWholeShare"},
	{"a grant for another role, or for several", "the role is under the signature, and each grant has exactly one",
		"auth/grantparse.go", "if len(cert.ValidPrincipals) != 1 {", "if len(cert.ValidPrincipals) == 0 {", "auth", "TestVerifyRefusesForgedContent"},
	{"a rolled-back revocation", "a lower number never replaces a higher one",
		"relay/control/peer.go", "known.Number >= r.Number", "false", "relay/control", "TestRevokedGrant"},

	// evidence
	{"a stolen key without the environment", "the router compares what is shown with what it has learned",
		"auth/ecv/finding.go", "found[WiFi] = checkClear(WiFi, WiFiTagID(secret, *n), accepted)", "found[WiFi] = Matched", "tunnel/agent", "TestStolenKeyWithoutEnvironment"},
	{"a stolen key without the environment, at the relay", "the relay compares tags with the grant's",
		"auth/ecv/proof.go", "if !accepted.Has(f, claimedID(f, tag)) {", "if false {", "relay/control", "TestVerdicts"},
	{"a proof from another connection", "it is signed over the TLS exporter of its connection",
		"auth/ecv/proof.go", "c.Binding[:]", "make([]byte, 32)", "auth/ecv", "TestProofReplays"},
	{"a proof for another router", "it is signed over the RouterID",
		"auth/ecv/proof.go", "c.Router[:]", "make([]byte, 32)", "auth/ecv", "TestProofReplays"},
	{"a proof from another relay", "each relay sees another exporter",
		"relay/control/evidence.go", "binding, err := auth.ExportEvidence(device.conn.ConnectionState().TLS)", "binding, err := [32]byte{}, error(nil)", "relay/control", "TestStolenEvidence"},
	{"an old proof", "it is signed over its time, and policies say how old it may be",
		"auth/ecv/proof.go", "return age <= maxAge && age >= -FutureSkew", "return age != 0 || true", "auth/ecv", "TestProofAge"},
	{"a proof that somebody has made up", "the signature, by a key that only the pairing secret gives",
		"auth/ecv/proof.go", "if !ed25519.Verify(tag, proofMessage(f, raw[:proofKey], c), raw[proofSignature:]) {", "if false {", "auth/ecv", "TestProofBitFlips"},
	{"a relay that lies about the network", "what only it sees is never enough",
		"auth/ecv/policy.go", "if d.Allow <= observed || d.Allow > all {", "if d.Allow > all {", "auth/ecv", "TestValidate"},
	{"a relay that vouches for everything", "the router weighs what the device shows inside the tunnel",
		"tunnel/agent/judge.go", "found := ecv.CheckEvidence(c.Evidence, secret, known, a.maxAge(), shownAt(c, now))",
		"found := ecv.Findings{ecv.WiFi: ecv.Matched, ecv.Geo: ecv.Matched}", "tunnel/agent", "TestRelayVouchesForAll"},
	{"a relay that skips the check", "the router checks again, and its word is final",
		"tunnel/hearing.go", "h.ruling = h.judging.Judge(on)", "h.ruling = Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}}", "tunnel", "TestLyingRelay"},
	{"impossible travel", "the router knows where the device was let in last",
		"tunnel/agent/judge.go", "found[ecv.Geo] = ecv.Impossible", "_ = found", "tunnel/agent", "TestImpossibleTravel"},
	{"another network in the middle of a session", "the relay judges again when the leg moves",
		"relay/control/judge.go", "e.see(here)", "_ = here", "relay/control", "TestMoveToWhatNeedsStepUp"},
	{"more data in a step-up session", "the relay's limit, on the forward path",
		"relay/control/live.go", "l.session.Limit(limits.StepUpBytes, time.Now().Add(limits.StepUpTime))", "_, _ = limits, time.Now", "relay/control", "TestStepUpIsLimited"},
	{"a service in a step-up session", "the router refuses each stream",
		"tunnel/hearing.go", "if v == ecv.Allow {", "if true {", "tunnel", "TestVerdicts"},

	// people
	{"PIN guessing", "five wrong ones lock the device out",
		"tunnel/agent/pin/check.go", "if wait := c.tries.lockedUntil(device, c.clock.at).Sub(c.clock.at); wait > 0 {", "if wait := time.Duration(0); wait > 0 {", "tunnel/agent", "TestPINGuessing"},
	{"a guest that shares on", "guests can't share",
		"tunnel/agent/share.go", "case !known || by.Role == auth.RoleGuest:", "case !known:", "tunnel/agent", "TestGuestEscalation"},
	{"an admin that makes owners", "nobody but owners gives away his own role",
		"tunnel/agent/share.go", "case by.Role != auth.RoleOwner && rank(one.Role) >= rank(by.Role):", "case false:", "tunnel/agent", "TestGuestEscalation"},
	{"sharing what one does not have", "services and time are those of the sharer at most",
		"tunnel/agent/share.go", "if !(auth.Grant{Services: by.granted()}).Allows(name) && !slices.Contains(by.granted(), auth.AllServices) {", "if false {", "tunnel/agent", "TestGuestEscalation"},
	{"a thief who invites himself before he is revoked", "revoking takes back what was shared, and shared on",
		"tunnel/agent/manage.go", "if keepShared {", "if true {", "tunnel/agent", "TestRevokeTakesWhatWasShared"},
	{"an invitation used twice", "its window closes with the first use",
		"auth/pairing.go", "w.closeLocked(ErrPairingUsed)", "_ = ErrPairingUsed", "auth", "TestPairingIsSingleUse"},
	{"an invitation by somebody who was revoked", "the sharer's rights are asked again when it is accepted",
		"tunnel/agent/pairing.go", "if err := p.may(*invited); err != nil {", "if err := error(nil); err != nil {", "tunnel/agent", "TestSharerChanges"},

	// accounts
	{"a device's key in place of an account", "with an account system a key is nobody's account",
		"tunnel/agent/judge.go", "if !c.Vouched.Accounts && known.Has(", "if known.Has(", "tunnel/agent", "TestAccountsSwitchedOn"},
	{"an ID token of another audience", "the audience is the relay's client",
		"relay/account/verifier.go", "ClientID: v.cfg.ClientID,", "SkipClientIDCheck: true,", "relay/account", "TestBadClaims"},
	{"an ID token of another issuer", "the issuer is the relay's",
		"relay/account/verifier.go", "ClientID: v.cfg.ClientID,", "ClientID: v.cfg.ClientID, SkipIssuerCheck: true,", "relay/account", "TestBadClaims"},
	{"an expired ID token", "its expiry",
		"relay/account/verifier.go", "ClientID: v.cfg.ClientID,", "ClientID: v.cfg.ClientID, SkipExpiryCheck: true,", "relay/account", "TestBadClaims"},
	{"an unsigned ID token", "asymmetric algorithms only",
		"internal/issuerhttp/issuerhttp.go", "oidc.RS256, oidc.RS384,", `"none", "HS256", oidc.RS256, oidc.RS384,`, "relay/account", "TestForgeries"},
	{"an ID token with a swapped key", "its nonce is a hash of the device's key",
		"relay/account/verifier.go", "case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:", "case subtle.ConstantTimeCompare(nil, nil) != 1:", "relay/account", "TestBadClaims"},
	{"a relay that leads a login into the person's own network", "only addresses of the internet are dialled",
		"internal/issuerhttp/outward.go", "dialer := &net.Dialer{Control: refuseInside}", "dialer := &net.Dialer{}", "internal/issuerhttp", "TestOutwardDials"},
}
