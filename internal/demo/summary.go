package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lethe-relay/lethe/relay/forward"
)

// Summary is what Once has done and seen. MB are 10^6 bytes.
type Summary struct {
	Handshake Handshake `json:"handshake"`
	Page      Page      `json:"page"`
	Download  Transfer  `json:"download"`
	Upload    Transfer  `json:"upload"`
	Relay     RelayView `json:"relay"`
	Search    Search    `json:"search"`
	Seconds   float64   `json:"seconds"` // all of it, from start to end
}

// Handshake is what the tunnel's ends have agreed on.
type Handshake struct {
	Protocol    string `json:"protocol"` // ALPN
	TLS         string `json:"tls"`
	KeyExchange string `json:"key_exchange"`
	Cipher      string `json:"cipher"`
}

// Page is the admin page as it came through the tunnel.
type Page struct {
	Title   string  `json:"title"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// Transfer is what was moved one way.
type Transfer struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"mb_per_second"`
	Digest  string  `json:"digest"` // as in RFC 9530, the same at both ends
}

// RelayView is all that the relay can tell about a session, but for the two
// identities and addresses that it knows while the session lives.
type RelayView struct {
	Sessions  int               `json:"sessions"` // now
	Datagrams uint64            `json:"datagrams"`
	Bytes     uint64            `json:"bytes"`
	PerBatch  float64           `json:"datagrams_per_batch"` // of all that it read, its own messages too
	Dropped   map[string]uint64 `json:"dropped"`             // by reason; only reasons that there were
}

// Search is what was found of the page's secret, where it must not be and where
// it must.
type Search struct {
	WireBytes   uint64 `json:"wire_bytes"`
	WireFound   uint64 `json:"wire_found"`
	WireSample  string `json:"wire_sample"` // the first bytes of a datagram, in hex
	PlainBytes  uint64 `json:"plain_bytes"` // that the page's server wrote
	PlainFound  uint64 `json:"plain_found"`
	PlainSample string `json:"plain_sample"`
}

func newTransfer(n int64, took time.Duration) Transfer {
	t := Transfer{Bytes: n, Seconds: took.Seconds()}
	if took > 0 {
		t.Rate = float64(n) / 1e6 / t.Seconds
	}
	return t
}

func relayView(st forward.Stats) RelayView {
	v := RelayView{Sessions: st.Sessions, Datagrams: st.Datagrams, Bytes: st.Bytes, Dropped: make(map[string]uint64)}
	read := st.Datagrams + st.Control + st.LegMessages
	for reason, n := range st.Dropped {
		if n > 0 {
			read += n
			v.Dropped[reason.String()] = n
		}
	}
	if st.Messages > 0 {
		v.PerBatch = float64(read) / float64(st.Messages)
	}
	return v
}

// String is the view in one line.
func (v RelayView) String() string {
	sessions := "sessions"
	if v.Sessions == 1 {
		sessions = "session"
	}
	return fmt.Sprintf("%d %s, %d datagrams, %s, %.1f datagrams per batch, %s",
		v.Sessions, sessions, v.Datagrams, amount(v.Bytes), v.PerBatch, v.drops())
}

// drops is how many datagrams were dropped, and why.
func (v RelayView) drops() string {
	if len(v.Dropped) == 0 {
		return "none dropped"
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(v.Dropped)) {
		reasons = append(reasons, fmt.Sprintf("%d %s", v.Dropped[reason], reason))
	}
	return "dropped: " + strings.Join(reasons, ", ")
}

// Print writes the summary for a person.
func (s *Summary) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(key, format string, args ...any) { fmt.Fprintf(w, key+"\t"+format+"\n", args...) }
	row("tunnel", "%s, %s, %s, both keys pinned", s.Handshake.TLS, s.Handshake.KeyExchange, s.Handshake.Cipher)
	row("page", "%q, %s in %.0f ms", s.Page.Title, amount(uint64(s.Page.Bytes)), s.Page.Seconds*1e3)
	row("download", "%v", s.Download)
	row("upload", "%v", s.Upload)
	row("relay saw", "%v", s.Relay)
	row("on the wire", "%s…", s.Search.WireSample)
	row("the page says", "%q", s.Search.PlainSample)
	row("searched", "%v", s.Search)
	row("", "found %d times in what the page's server wrote, so the search works", s.Search.PlainFound)
	row("all in", "%.1f s", s.Seconds)
	return w.Flush()
}

// String is the transfer in one line.
func (t Transfer) String() string {
	return fmt.Sprintf("%s in %.2f s, %.0f MB/s, SHA-256 the same at both ends", amount(uint64(t.Bytes)), t.Seconds, t.Rate)
}

// String is the search in one line.
func (s Search) String() string {
	return fmt.Sprintf("%d bytes on the wire for the page's secret: found %d times", s.WireBytes, s.WireFound)
}

// amount is a number of bytes for a person.
func amount(n uint64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d bytes", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
