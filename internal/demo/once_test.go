package demo

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const testBytes = 3<<20 + 1

func TestOnce(t *testing.T) {
	check := watchFiles(t)
	sum, err := Once(testContext(t), testConfig(), testBytes)
	if err != nil {
		t.Fatal(err)
	}
	check()
	if h := sum.Handshake; h.TLS != "TLS 1.3" || h.KeyExchange != "X25519MLKEM768" || h.Protocol != "lethe-tunnel/1" || h.Cipher == "" {
		t.Errorf("handshake: %+v", h)
	}
	if p := sum.Page; p.Title != pageTitle || p.Bytes == 0 || p.Seconds <= 0 {
		t.Errorf("page: %+v", p)
	}
	for _, moved := range []Transfer{sum.Download, sum.Upload} {
		if moved.Bytes != testBytes || moved.Seconds <= 0 || moved.Rate <= 0 || moved.Digest != sum.Download.Digest || moved.Digest == "" {
			t.Errorf("moved: %+v", moved)
		}
	}
	if r := sum.Relay; r.Sessions != 1 || r.Bytes < 2*testBytes || r.Datagrams < r.Bytes/65536 || r.PerBatch < 1 {
		t.Errorf("relay: %+v", r)
	}
	if s := sum.Search; s.WireFound != 0 || s.WireBytes < sum.Relay.Bytes || s.WireSample == "" || s.PlainFound < testBytes/recordBytes || s.PlainBytes < testBytes {
		t.Errorf("search: %+v", s)
	}
	if sum.Seconds < sum.Download.Seconds+sum.Upload.Seconds {
		t.Errorf("all in %v s", sum.Seconds)
	}
}

func TestOnceCancelled(t *testing.T) {
	check := watchFiles(t)
	ctx, cancel := context.WithCancel(testContext(t))
	cfg := testConfig()
	cfg.Progress = func(what string) func() {
		if strings.HasPrefix(what, "downloading") {
			cancel()
		}
		return func() {}
	}
	if _, err := Once(ctx, cfg, testBytes); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	check()
}

// TestSearchFails: each way in which the search must make the demo fail.
func TestSearchFails(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*testing.T, *stage)
		want  string
	}{
		{"secret on the wire", func(t *testing.T, s *stage) { plant(t, s.wire.proxy.Addr(), s.page.secret) }, "the tunnel leaks plaintext"},
		{"title on the wire", func(t *testing.T, s *stage) { plant(t, s.wire.proxy.Addr(), pageTitle) }, "the tunnel leaks plaintext"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := testStage(t)
			tc.spoil(t, s)
			if err := s.once(&Summary{}, testBytes); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	t.Run("void", func(t *testing.T) {
		s := testStage(t)
		if _, err := s.searched(0); err == nil || !strings.Contains(err.Error(), "does not find the page's secret") {
			t.Errorf("before the page was served: %v", err)
		}
		if err := s.once(&Summary{}, testBytes); err != nil {
			t.Fatal(err)
		}
		if _, err := s.searched(1 << 40); err == nil || !strings.Contains(err.Error(), "proves nothing") {
			t.Errorf("with less on the wire than was moved: %v", err)
		}
	})
}

// TestPartEnds: a part that ends by itself ends the demo, with its name.
func TestPartEnds(t *testing.T) {
	s := testStage(t)
	s.run("test part", func(context.Context) error { return errors.New("broken") })
	defer func() { s.cleanups = s.cleanups[:len(s.cleanups)-1] }() // it is over, and would report its error again
	<-s.ctx.Done()
	err := s.because(s.once(&Summary{}, testBytes))
	if err == nil || err.Error() != "the test part ended by itself: broken" {
		t.Errorf("got %v", err)
	}
}

func TestSummary(t *testing.T) {
	sum := &Summary{
		Handshake: Handshake{Protocol: "p", TLS: "TLS 1.3", KeyExchange: "X", Cipher: "C"},
		Page:      Page{Title: "T", Bytes: 1234, Seconds: 0.012},
		Download:  Transfer{Bytes: 268435456, Seconds: 1.5, Rate: 178.9, Digest: "d"},
		Relay:     RelayView{Sessions: 2, Datagrams: 10, Bytes: 12_000_000, PerBatch: 8.25, Dropped: map[string]uint64{"replay": 1, "bad_mac": 2}},
		Search:    Search{WireBytes: 99, WireSample: "abcd", PlainFound: 7, PlainSample: "secret"},
	}
	var text strings.Builder
	if err := sum.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"TLS 1.3, X, C, both keys pinned", `"T", 1.2 kB in 12 ms`, "268.4 MB in 1.50 s, 179 MB/s",
		"2 sessions, 10 datagrams, 12.0 MB, 8.2 datagrams per batch, dropped: 2 bad_mac, 1 replay",
		"99 bytes on the wire for the page's secret: found 0 times", "found 7 times in what the page's server wrote",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	data, err := json.Marshal(sum)
	if err != nil || strings.Contains(string(data), `"Bytes"`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 256 << 20: "268.4 MB", 5e9: "5.00 GB"} {
		if got := amount(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
