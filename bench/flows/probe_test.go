package flows

import (
	"errors"
	"testing"
	"time"
)

// taken takes from a Probe until each way has so many.
func taken(t *testing.T, p *Probe, n int) [][]time.Duration {
	t.Helper()
	all := make([][]time.Duration, len(p.ways))
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		took, err := p.Take()
		if err != nil {
			t.Fatal(err)
		}
		least := n
		for i := range took {
			all[i] = append(all[i], took[i]...)
			least = min(least, len(all[i]))
		}
		if least == n {
			return all
		}
	}
	t.Fatalf("not so many within %v", deadline)
	return nil
}

func probe(t *testing.T, source, sink *Port, ways ...[]Flow) *Probe {
	t.Helper()
	p, err := NewProbe(source, sink, 200*time.Microsecond, ways...)
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// TestProbe: one way is straight, one is through something, and one leads nowhere.
func TestProbe(t *testing.T) {
	source, sink := open(t), open(t)
	at := between(t, sink, reframe3)
	through := []Flow{{To: at, Prefix: []byte("p0"), Skip: 3}, {To: at, Prefix: []byte("p1"), Skip: 3}}
	nowhere := []Flow{{To: open(t).Addr(0)}}
	took := taken(t, probe(t, source, sink, straight(sink, 3), through, nowhere), 20)
	for way, times := range took {
		for _, d := range times {
			if nowhere := way == 2; d < 0 || d > Late || nowhere != (d == Late) {
				t.Errorf("way %d: %v", way, d)
			}
		}
	}
}

// reframe3 is reframe for numbers that say nothing of flows.
func reframe3(_ uint64, b []byte) []byte { return append([]byte("abc"), b[2:]...) }

func TestProbeWrong(t *testing.T) {
	source, sink := open(t), open(t)
	at := between(t, sink, func(_ uint64, b []byte) []byte {
		b[900]++
		return b
	})
	p := probe(t, source, sink, []Flow{{To: at}})
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		if _, err := p.Take(); errors.Is(err, ErrContent) {
			return
		}
	}
	t.Error("is taken")
}

func TestRank(t *testing.T) {
	if RankRealTime.String() != "real time" || RankNone.String() != "none" || RankNice.String() != "nice" {
		t.Error("the ranks are misnamed")
	}
}
