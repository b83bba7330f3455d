package auth

import (
	"crypto/tls"
	"fmt"
)

// Labels of the TLS exporter (RFC 8446 section 7.5). Each value has one use:
// the binding proves, the secret stays, and the evidence binding is of another
// connection.
const (
	exporterPairingBinding = "EXPORTER-lethe-pairing-binding-v1"
	exporterPairingSecret  = "EXPORTER-lethe-pairing-secret-v1"
	exporterEvidence       = "EXPORTER-lethe-evidence-v1"
)

// PairingExporter holds the values that both ends of one tunnel, and nobody
// else, draw from its TLS handshake.
type PairingExporter struct {
	Binding [32]byte // ties a proof to this tunnel
	Secret  [32]byte // becomes part of the pairing secret
}

// ExportPairing draws the exporter values of a tunnel whose handshake is
// complete.
func ExportPairing(cs tls.ConnectionState) (e PairingExporter, err error) {
	if e.Binding, err = export(cs, exporterPairingBinding); err != nil {
		return PairingExporter{}, err
	}
	if e.Secret, err = export(cs, exporterPairingSecret); err != nil {
		return PairingExporter{}, err
	}
	return e, nil
}

// ExportEvidence draws the value that ties a device's evidence to its control
// connection with the relay, whose handshake must be complete. Both ends draw
// the same; a proof that was seen on one connection fits no other.
func ExportEvidence(cs tls.ConnectionState) ([32]byte, error) {
	return export(cs, exporterEvidence)
}

func export(cs tls.ConnectionState, label string) (value [32]byte, err error) {
	if !cs.HandshakeComplete {
		return value, fmt.Errorf("draw values from TLS: the handshake is not complete")
	}
	b, err := cs.ExportKeyingMaterial(label, nil, len(value))
	if err != nil {
		return value, fmt.Errorf("draw values from TLS: %w", err)
	}
	return [32]byte(b), nil
}
