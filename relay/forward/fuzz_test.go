package forward

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// vector is a golden leg message of package wire.
type vector struct {
	Secret string
	Fields struct{ Leg string }
	Bytes  [][]string
}

func legVectors(f *testing.F) (all []vector) {
	f.Helper()
	for _, name := range []string{"bind", "cookie", "bound", "unbind"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "internal", "wire", "testdata", "vectors", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		var some []vector
		if err := json.Unmarshal(data, &some); err != nil {
			f.Fatal(err)
		}
		all = append(all, some...)
	}
	if len(all) < 4 {
		f.Fatal("there are no golden vectors to start from")
	}
	return all
}

func (v vector) wire(t testing.TB) (b []byte) {
	for _, part := range v.Bytes {
		b = append(b, unhex(t, part[0])...)
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// session makes a bound session whose device leg has the id and secret of a
// golden vector, so that the vectors are messages of it.
func (b bench) session(t testing.TB, v vector) *Session {
	t.Helper()
	s, err := b.NewSession(Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.ParseUint(v.Fields.Leg, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	l := s.Device
	b.legs.Delete(l.id)
	l.id = wire.LegID(id)
	b.legs.Set(l.id, l)
	copy(l.secret[:], unhex(t, v.Secret))
	b.bind(s.Device, loopback(9))
	b.bind(s.Router, loopback(10))
	return s
}

// outcomes adds up all the ways that a datagram can end.
func (st Stats) outcomes() uint64 {
	n := st.Datagrams + st.Control + st.LegMessages
	for _, dropped := range st.Dropped {
		n += dropped
	}
	return n
}

// FuzzHandle hands the loop a message of any bytes, from the address of a leg or
// from elsewhere. The attacker is whoever can write to the port. Nothing may
// panic, and each datagram is counted exactly once.
func FuzzHandle(f *testing.F) {
	vectors := legVectors(f)
	for _, v := range vectors {
		leg := v.wire(f)
		f.Add(leg, uint16(0), false)
		f.Add(leg, uint16(0), true)
		f.Add(append(payload(3*100, 100), leg...), uint16(100), true)
		f.Add(append(payload(2*52, 52), leg...), uint16(52), false)
	}
	f.Add([]byte{}, uint16(0), true)
	f.Add(payload(1501, 1501), uint16(0), false)
	b := newBench(f)
	f.Fuzz(func(t *testing.T, data []byte, segSize uint16, fromLeg bool) {
		s := b.session(t, vectors[0])
		defer b.End(s, EndByRelay)
		from := loopback(9)
		if !fromLeg {
			from = loopback(11)
		}
		m := udpio.Message{N: min(len(data), udpio.MaxBatchBytes), SegSize: int(segSize)}
		before := b.Stats()
		b.feed(t, from, data[:m.N], m.SegSize)
		after := b.Stats()
		if in, counted := uint64(m.Datagrams()), after.outcomes()-before.outcomes(); counted != in {
			t.Fatalf("%d datagrams came, %d were counted: %+v, before %+v", in, counted, after, before)
		}
		if n := uint64(len(b.control.queue)); n != after.Control-before.Control {
			t.Fatalf("%d datagrams wait for the control plane, %d were counted", n, after.Control-before.Control)
		}
		for buf := make([]byte, controlDatagram); len(b.control.queue) > 0; {
			if _, _, err := b.control.ReadFrom(buf); err != nil {
				t.Fatal(err)
			}
		}
	})
}
