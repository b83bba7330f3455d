package tunnel

import (
	"crypto/ed25519"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// What a relay pushes to a router that is registered with it.

// pushed answers one push of the relay.
func (l *Listener) pushed(conn *relayConn, stream *quic.Stream) {
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(openTimeout))
	push, _ := wire.ReadMessage(stream)
	switch m := push.(type) {
	case *wire.Incoming:
		l.incoming(conn, stream, m)
	case *wire.Moved:
		l.moved(m)
		wire.WriteMessage(stream, &wire.Accept{})
		readEnd(stream)
	default:
		wire.WriteMessage(stream, &wire.Error{Code: wire.CodeBadRequest})
		stream.CancelRead(0)
	}
}

// incoming answers the offer of a session.
func (l *Listener) incoming(conn *relayConn, stream *quic.Stream, m *wire.Incoming) {
	device := Device{Key: ed25519.PublicKey(m.Device[:])}
	moved := newMailbox[Vouched]()
	s, code := l.admit(conn, m, &device, moved)
	if code != "" {
		l.cfg.Log.Warn("session refused", "reason", code)
		wire.WriteMessage(stream, &wire.Error{Code: code})
		readEnd(stream)
		return
	}
	if err := wire.WriteMessage(stream, &wire.Accept{}); err != nil {
		stream.CancelRead(0)
		l.forget(s)
		return
	}
	stream.Close()
	readEnd(stream)
	if m.Purpose == wire.PurposePairing {
		l.servePairing(s, device)
		return
	}
	l.serve(s, Case{Device: device, Vouched: vouchedOf(m.Vouched)}, moved)
}

// moved has a device judged again that has another network. It waits for
// nobody, or one device could keep the relay's pushes for all the others. The
// relay may speak of a session that has just ended.
func (l *Listener) moved(m *wire.Moved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, of := range l.sessions {
		if of.leg == m.Leg {
			of.moved.put(vouchedOf(m.Vouched))
		}
	}
}

// readEnd reads the end of a stream whose one message has been read. Until then
// the stream is not over for QUIC, and takes the place of another.
func readEnd(stream *quic.Stream) {
	stream.SetReadDeadline(time.Now().Add(farewellTimeout))
	stream.Read(make([]byte, 1))
	stream.CancelRead(0)
}
