package auth

import (
	"crypto/tls"
	"testing"
)

// drawn is what the two ends of one connection draw.
type drawn struct {
	pairing  PairingExporter
	evidence [32]byte
}

// drawBoth makes a new connection and fails unless both ends draw the same.
func drawBoth(t *testing.T) drawn {
	t.Helper()
	client := tlsConfig(t, certificateOf(t, identityOf(t, 2)), nil)
	server := tlsConfig(t, certificateOf(t, identityOf(t, 1)), nil)
	c, s, cErr, sErr := shakeHands(t, client, server)
	if cErr != nil || sErr != nil {
		t.Fatal(cErr, sErr)
	}
	one, two := draw(t, c.ConnectionState()), draw(t, s.ConnectionState())
	if one != two {
		t.Fatal("the ends draw different values")
	}
	return one
}

func draw(t *testing.T, cs tls.ConnectionState) drawn {
	t.Helper()
	pairing, err := ExportPairing(cs)
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := ExportEvidence(cs)
	if err != nil {
		t.Fatal(err)
	}
	return drawn{pairing, evidence}
}

// Both ends of a connection draw the same values, each connection its own, and
// each use its own.
func TestExport(t *testing.T) {
	a, b := drawBoth(t), drawBoth(t)
	seen := map[[32]byte]string{{}: "zero"}
	for name, value := range map[string][32]byte{
		"binding": a.pairing.Binding, "secret": a.pairing.Secret, "evidence": a.evidence,
		"other binding": b.pairing.Binding, "other secret": b.pairing.Secret, "other evidence": b.evidence,
	} {
		if same, ok := seen[value]; ok {
			t.Errorf("%s and %s are the same", name, same)
		}
		seen[value] = name
	}
}

// Nothing is drawn before the handshake is complete, nor where TLS refuses: on
// a connection that may be renegotiated.
func TestExportNeedsAHandshake(t *testing.T) {
	client := tlsConfig(t, certificateOf(t, identityOf(t, 2)), nil)
	client.Renegotiation = tls.RenegotiateFreelyAsClient
	c, _, cErr, sErr := shakeHands(t, client, tlsConfig(t, certificateOf(t, identityOf(t, 1)), nil))
	if cErr != nil || sErr != nil {
		t.Fatal(cErr, sErr)
	}
	for name, cs := range map[string]tls.ConnectionState{"none": {}, "may be renegotiated": c.ConnectionState()} {
		if v, err := ExportPairing(cs); err == nil || v != (PairingExporter{}) {
			t.Errorf("%s: pairing values were drawn", name)
		}
		if v, err := ExportEvidence(cs); err == nil || v != [32]byte{} {
			t.Errorf("%s: evidence was tied to it", name)
		}
	}
}
