package tunnel_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// evidenceFrame is what a device sends on its first stream.
func evidenceFrame(e ecv.Evidence) *wire.Evidence {
	m := &wire.Evidence{}
	if e.WiFi != nil {
		m.SSID, m.BSSID, m.WiFiSeen = []byte(e.WiFi.SSID), e.WiFi.BSSID, e.WiFi.Seen
	}
	if e.Place != nil {
		m.Cell, m.GeoSeen = e.Place.Cell, e.Place.Seen
	}
	return m
}

// firstStream shows evidence on a raw tunnel's first stream.
func (w *world) firstStream(conn *quic.Conn, e ecv.Evidence) *quic.Stream {
	w.t.Helper()
	return w.firstMessage(conn, evidenceFrame(e))
}

func (w *world) firstMessage(conn *quic.Conn, m wire.Message) *quic.Stream {
	w.t.Helper()
	qs, err := conn.OpenStreamSync(w.context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := wire.WriteMessage(qs, m); err != nil {
		w.t.Fatal(err)
	}
	return qs
}

// lastVerdict reads to the end of the tunnel.
func lastVerdict(qs *quic.Stream) (last uint8) {
	for {
		m, err := wire.Expect[*wire.Verdict](qs)
		if err != nil {
			return last
		}
		last = m.Verdict
	}
}

// wantClosed checks with which code the router closes a raw tunnel.
func wantClosed(t testing.TB, conn *quic.Conn, code wire.Code) {
	t.Helper()
	select {
	case <-conn.Context().Done():
	case <-time.After(2 * patience):
		t.Fatal("the tunnel lives on")
	}
	var closed *quic.ApplicationError
	if _, err := conn.AcceptStream(t.Context()); !errors.As(err, &closed) || !closed.Remote || uint64(closed.ErrorCode) != code.CloseNumber() {
		t.Errorf("the tunnel ended with %v, want %s", err, code)
	}
}

// serviceOf is the router's answer to a raw tunnel that opens a stream to a service.
func (w *world) serviceOf(conn *quic.Conn) error {
	w.t.Helper()
	qs, err := conn.OpenStreamSync(w.context())
	if err != nil {
		return err
	}
	qs.SetDeadline(time.Now().Add(patience))
	defer qs.CancelRead(0)
	defer qs.CancelWrite(0)
	if err := wire.WriteMessage(qs, &wire.ServiceOpen{Service: "echo"}); err != nil {
		return err
	}
	if _, err := qs.Write([]byte("x")); err != nil {
		return err
	}
	_, err = wire.Expect[*wire.ServiceReady](qs)
	return err
}

// TestFirstMessage: a tunnel begins with evidence, or ends.
func TestFirstMessage(t *testing.T) {
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	for name, m := range map[string]wire.Message{
		"a service, as of old": &wire.ServiceOpen{Service: "echo"},
		"a confirmation":       &wire.Confirm{PIN: "1"},
		"an error":             &wire.Error{Code: wire.CodeInternal},
		"a verdict":            &wire.Verdict{Verdict: wire.VerdictAllow},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := b.evil.raw(b.world, nil)
			b.firstMessage(conn, m)
			wantClosed(t, conn, wire.CodeBadRequest)
			if len(b.court.cases) != 0 {
				t.Error("it was judged")
			}
		})
	}
}

// TestFirstStreamMissing: a tunnel that shows nothing serves nothing, and ends.
func TestFirstStreamMissing(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	conn, _ := b.evil.raw(b.world, nil)
	wantClosed(t, conn, wire.CodeBadRequest)
}

// TestOtherStreamFirst: whatever comes first in time, the first stream is looked at before all others.
func TestOtherStreamFirst(t *testing.T) {
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	conn, _ := b.evil.raw(b.world, nil)
	first, err := conn.OpenStreamSync(b.context())
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- b.serviceOf(conn) }()
	eventually(t, "the other stream", func() bool { return conn.ConnectionStats().PacketsSent > 3 })
	select {
	case err := <-answered:
		t.Fatalf("answered without evidence: %v", err)
	default:
	}
	if err := wire.WriteMessage(first, evidenceFrame(atHome(t))); err != nil {
		t.Fatal(err)
	}
	if err := within(t, answered); err != nil {
		t.Error(err)
	}
}

// TestLaterMessages: what has no place on a first stream ends the tunnel; its plain end does not.
func TestLaterMessages(t *testing.T) {
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	for name, say := range map[string]func(*quic.Stream){
		"a service":    func(qs *quic.Stream) { wire.WriteMessage(qs, &wire.ServiceOpen{Service: "echo"}) },
		"confirmation": func(qs *quic.Stream) { wire.WriteMessage(qs, &wire.Confirm{}) },
		"garbage":      func(qs *quic.Stream) { qs.Write([]byte{0xff, 0xff, 0xff}) },
		"half a frame": func(qs *quic.Stream) { qs.Write([]byte{0x24}); qs.Close() },
		"broken off":   func(qs *quic.Stream) { qs.CancelWrite(5) },
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := b.evil.raw(b.world, nil)
			say(b.firstStream(conn, atHome(t)))
			wantClosed(t, conn, wire.CodeBadRequest)
		})
	}
	conn, s := b.evil.raw(b.world, nil)
	first := b.firstStream(conn, atHome(t))
	first.Close()
	for len(b.court.cases) > 0 {
		<-b.court.cases
	}
	b.moved(s, 1)
	for b.court.next(t).Vouched != network(1) {
	}
	if err := b.serviceOf(conn); err != nil {
		t.Errorf("after the first stream's end: %v", err)
	}
	conn.CloseWithError(0, "")
}

// TestDeafDevice: a device that reads nothing keeps neither the relay's pushes nor the router's end for itself.
func TestDeafDevice(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newMovingBench(t, func(c tunnel.Case) tunnel.Ruling {
		r := ruled(ecv.Allow)
		if c.Vouched != network(0) {
			r.Grant = make([]byte, wire.MaxGrant) // more than QUIC takes in for a stream that is not read
		}
		return r
	}, time.Minute)
	deaf, s := b.evil.raw(b.world, &quic.Config{InitialStreamReceiveWindow: 100, MaxStreamReceiveWindow: 100})
	b.firstStream(deaf, atHome(t))
	b.court.next(t)
	tun := b.dialWith(b.dialFrom(nil))
	b.court.next(t)
	for n := range byte(200) { // more pushes than a relay may have under way
		b.moved(s, n+1)
	}
	b.wantEcho(tun, "others go on")
	wantClosed(t, deaf, wire.CodeBadRequest)
	b.wantEcho(tun, "and on")
}

// TestDeafDeviceCloses: nor does it hold up the router's Close, or its being cut off.
func TestDeafDeviceCloses(t *testing.T) {
	for name, end := range map[string]func(*tunnel.Listener, *world){
		"close":      func(l *tunnel.Listener, _ *world) { l.Close() },
		"disconnect": func(l *tunnel.Listener, w *world) { l.Disconnect(w.device.DeviceID()) },
	} {
		t.Run(name, func(t *testing.T) {
			e, ruling := newEvilRelay(t), ruled(ecv.Allow)
			ruling.Grant = make([]byte, wire.MaxGrant)
			c := newCourt(func(tunnel.Case) tunnel.Ruling { return ruling })
			w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
			l := w.listen(tunnel.ListenConfig{Judging: c.judging()}, nil)
			deaf, _ := e.raw(w, &quic.Config{InitialStreamReceiveWindow: 1, MaxStreamReceiveWindow: 1})
			w.firstStream(deaf, atHome(t))
			c.next(t)
			began := time.Now()
			end(l, w)
			<-deaf.Context().Done()
			if took := time.Since(began); took > promptly {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestFlood: a device that shows evidence without end is judged now and then, by the newest.
func TestFlood(t *testing.T) {
	t.Parallel() // it mostly waits
	b := newMovingBench(t, always(ecv.Allow), time.Minute)
	conn, s := b.evil.raw(b.world, nil)
	first := b.firstStream(conn, atHome(t))
	go lastVerdict(first)
	for range 2000 {
		if err := wire.WriteMessage(first, evidenceFrame(atHome(t))); err != nil {
			t.Fatal(err)
		}
		if len(b.court.cases) > 50 {
			break
		}
	}
	b.moved(s, 1) // it must not keep the relay's word back for long
	if err := wire.WriteMessage(first, evidenceFrame(atCafe(t))); err != nil {
		t.Fatal(err)
	}
	judged, cafe, moved := 0, false, false
	for !cafe || !moved {
		on := b.court.next(t)
		cafe = cafe || on.Evidence.WiFi.SSID == atCafe(t).WiFi.SSID
		moved = moved || on.Vouched == network(1)
		judged++
	}
	if judged > 20 {
		t.Errorf("judged %d times", judged)
	}
}

// frames are all frames of the wire's own tests, good and bad.
func frames(t testing.TB) (all [][]byte) {
	t.Helper()
	files, _ := filepath.Glob(filepath.FromSlash("../internal/wire/testdata/*/*.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct{ Bytes json.RawMessage }
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range list {
			all = append(all, unhex(t, v.Bytes))
		}
	}
	return all
}

// unhex reads hex, or pieces of hex with remarks.
func unhex(t testing.TB, text json.RawMessage) []byte {
	t.Helper()
	var whole string
	var pieces [][]string
	if json.Unmarshal(text, &pieces) == nil {
		for _, piece := range pieces {
			whole += piece[0]
		}
	} else if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(whole, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzFirstStream: whatever a device says on its first stream, with evidence before it or without, its tunnel then
// either works or has been closed for it. Nothing hangs, and the router outlives it.
func FuzzFirstStream(f *testing.F) {
	seeds := frames(f)
	if len(seeds) < 20 {
		f.Fatalf("%d seeds: where are the wire's vectors?", len(seeds))
	}
	for _, frame := range seeds {
		f.Add(true, frame)
	}
	f.Add(false, []byte{0x24, 0, 1, 0xa0})
	e := newEvilRelay(f)
	w := &world{t: f, url: e.url, router: newIdentity(f), device: newIdentity(f)}
	w.listen(tunnel.ListenConfig{Judging: newJury()}, handlers{"echo": echo})
	f.Fuzz(func(t *testing.T, begun bool, said []byte) {
		w := &world{t: t, url: w.url, router: w.router, device: w.device}
		conn, _ := e.raw(w, nil)
		defer conn.CloseWithError(0, "")
		first, err := conn.OpenStreamSync(w.context())
		if err != nil {
			t.Fatal(err)
		}
		if begun {
			wire.WriteMessage(first, &wire.Evidence{})
		}
		first.Write(said)
		first.Close()
		var closed *quic.ApplicationError
		err = w.serviceOf(conn)
		if err != nil && !(errors.As(err, &closed) && closed.Remote && uint64(closed.ErrorCode) == wire.CodeBadRequest.CloseNumber()) {
			t.Fatalf("%x: the tunnel neither works nor is closed for it: %v", said, err)
		}
	})
}

// newJury judges without taking notes.
func newJury() *tunnel.Judging { return &tunnel.Judging{Judge: always(ecv.Allow)} }
