package tunnel

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// Stream is one connection to a service inside a tunnel: a [net.Conn] with
// CloseWrite.
type Stream struct {
	// static
	qs      *quic.Stream
	service string
	peer    string // "router" or "device": who is at the other end
	device  Device // at the router's end

	// answer is what stands between the service's header and its bytes: at the
	// device's end the router's word is read, at the router's end it is written.
	// A deadline may come between; then it is called again.
	answer func() error

	answering sync.Mutex // held while answer runs
	answered  bool       // guarded by answering; answerErr is final
	answerErr error      // guarded by answering

	writing sync.Mutex // held in Write: QUIC streams can't be closed meanwhile
	ended   bool       // guarded by writing: nothing more can be written
}

// newStream makes the device's end.
func newStream(qs *quic.Stream, service string) *Stream {
	s := &Stream{qs: qs, service: service, peer: "router"}
	var partial []byte // of the answer, read before a deadline
	s.answer = func() error {
		var fresh bytes.Buffer
		_, err := wire.Expect[*wire.ServiceReady](io.MultiReader(bytes.NewReader(partial), io.TeeReader(qs, &fresh)))
		partial = append(partial, fresh.Bytes()...)
		var refused *wire.Error
		if errors.As(err, &refused) {
			qs.CancelWrite(0)
			return refusedBy(s.peer, err)
		}
		return streamError(s.peer, err)
	}
	return s
}

// newIncomingStream makes the router's end.
func newIncomingStream(qs *quic.Stream, service string, device Device) *Stream {
	s := &Stream{qs: qs, service: service, peer: "device", device: device}
	s.answer = func() error { return streamError(s.peer, wire.WriteMessage(qs, &wire.ServiceReady{})) }
	return s
}

// Service is the name of the service that the stream is for.
func (s *Stream) Service() string { return s.service }

// Device tells who opened the stream; it is zero at the device's own end.
func (s *Stream) Device() Device { return s.device }

// Ready tells the device that the service takes the stream. At the device's
// end it waits for that word. Read and, at the router's end, Write do it by
// themselves.
func (s *Stream) Ready() error {
	s.answering.Lock()
	defer s.answering.Unlock()
	if s.answered {
		return s.answerErr
	}
	err := s.answer()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.answered, s.answerErr = true, err
	}
	return err
}

// Refuse tells the device why the service does not take the stream, and closes
// it. code is one of the codes of internal/wire, such as "service_down".
func (s *Stream) Refuse(code string) error { return s.refuse(&wire.Error{Code: wire.Code(code)}) }

func (s *Stream) refuse(why *wire.Error) error {
	s.answering.Lock()
	defer s.answering.Unlock()
	if s.answered {
		return net.ErrClosed
	}
	s.answered, s.answerErr = true, net.ErrClosed
	err := wire.WriteMessage(s.qs, why)
	s.qs.CancelRead(0)
	s.qs.Close()
	return err
}

// Read implements [net.Conn]. At the device's end the first Read returns the
// router's refusal, if there is one.
func (s *Stream) Read(b []byte) (int, error) {
	if err := s.Ready(); err != nil {
		return 0, err
	}
	n, err := s.qs.Read(b)
	return n, streamError(s.peer, err)
}

// Write implements [net.Conn].
func (s *Stream) Write(b []byte) (int, error) {
	if s.peer == "device" {
		if err := s.Ready(); err != nil {
			return 0, err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.ended {
		return 0, net.ErrClosed
	}
	n, err := s.qs.Write(b)
	return n, s.writeError(err)
}

// writeError prefers the router's word: one that refuses a stream stops our
// writing too, and we may see that first.
func (s *Stream) writeError(err error) error {
	var stopped *quic.StreamError
	if s.peer == "router" && errors.As(err, &stopped) && stopped.Remote {
		if refused := s.Ready(); refused != nil {
			return refused
		}
	}
	return streamError(s.peer, err)
}

// CloseWrite ends what this side sends; reading goes on.
func (s *Stream) CloseWrite() error {
	if s.peer == "device" {
		if err := s.Ready(); err != nil {
			return err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.ended = true
	return s.qs.Close()
}

// Close ends both directions. What was written still arrives, unless a Write
// is under way: that one is broken off. What was not read is thrown away.
func (s *Stream) Close() error {
	s.qs.CancelRead(0)
	if !s.writing.TryLock() {
		s.qs.CancelWrite(0)
		return nil
	}
	defer s.writing.Unlock()
	s.ended = true
	s.qs.Close() // fails on a stream that is broken off already, which is as closed as can be
	return nil
}

// Abort ends both directions at once; the other end sees an error, not an end.
func (s *Stream) Abort() {
	s.qs.CancelRead(0)
	s.qs.CancelWrite(0)
}

// SetDeadline implements [net.Conn].
func (s *Stream) SetDeadline(t time.Time) error { return s.qs.SetDeadline(t) }

// SetReadDeadline implements [net.Conn].
func (s *Stream) SetReadDeadline(t time.Time) error { return s.qs.SetReadDeadline(t) }

// SetWriteDeadline implements [net.Conn].
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.qs.SetWriteDeadline(t) }

// LocalAddr names this end; a stream has no network address of its own.
func (s *Stream) LocalAddr() net.Addr { return streamAddr{s.service} }

// RemoteAddr names the other end.
func (s *Stream) RemoteAddr() net.Addr { return streamAddr{s.service} }

// streamAddr is the service that a stream is for.
type streamAddr struct{ service string }

// Network implements [net.Addr].
func (streamAddr) Network() string { return "lethe" }

// String implements [net.Addr].
func (a streamAddr) String() string { return "lethe:" + a.service }
