package wire

import (
	"bytes"
	"io"
	"testing"
)

// fullOpen is a request as large as they usually get: a grant with a policy, and
// both proofs.
func fullOpen() *Open {
	fill := func(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) }
	return &Open{
		Router: [32]byte(fill(32)), Grant: fill(700), Purpose: PurposeTunnel,
		ObservationKey: [32]byte(fill(32)), WiFi: fill(ProofSize), Geo: fill(ProofSize),
	}
}

// BenchmarkReadMessage is what a relay does with a request before it looks at what
// the request says.
func BenchmarkReadMessage(b *testing.B) {
	for _, m := range []Message{fullOpen(), &Accept{}} {
		b.Run(m.Type().String(), func(b *testing.B) {
			frame, err := encodeFrame(m)
			if err != nil {
				b.Fatal(err)
			}
			r := bytes.NewReader(frame)
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(frame)
				if _, err := ReadMessage(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWriteMessage is what it tells the router and the device.
func BenchmarkWriteMessage(b *testing.B) {
	open := fullOpen()
	for _, m := range []Message{
		&Incoming{Leg: 1, Secret: LegSecret{1}, Device: open.Router, Grant: open.Grant, Purpose: open.Purpose},
		&Opened{Leg: 1, Secret: LegSecret{1}},
	} {
		b.Run(m.Type().String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteMessage(io.Discard, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
