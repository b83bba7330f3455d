package ends

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

const (
	chunk = 64 << 10 // bytes that are written or read at once

	// contentBytes is how often the content of a stream repeats. A prime, so that no
	// loss of whole packets or buffers goes unseen.
	contentBytes = 32771
)

var errContent = errors.New("the content is not what was sent")

// content is what flows: byte i of a stream is at(i)[0].
type content struct{ tile []byte }

func newContent() content {
	random := rand.New(rand.NewPCG(contentBytes, chunk)) // the same in every run
	block := make([]byte, contentBytes)
	for i := range block {
		block[i] = byte(random.Uint32())
	}
	return content{bytes.Repeat(block, 2+chunk/contentBytes)}
}

// at is the chunk of a stream that begins at offset.
func (c content) at(offset uint64) []byte { return c.tile[offset%contentBytes:][:chunk] }

// stream writes into the near end and reads from the far end. A window keeps the
// source from sending more than a relay keeps that drops what it has no room for.
type stream struct {
	near    io.Writer
	far     io.Reader
	window  uint64 // bytes; 0: none
	content content
	running sync.WaitGroup
	ended   chan struct{} // closed by the sink

	// written by the sink
	received atomic.Uint64 // bytes
	failure  atomic.Pointer[error]
	arrived  chan struct{}
}

func (e *ends) loadStream(ctx context.Context, w Work) (flow, error) {
	near, far, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := newStream(near, far, w.Window)
	e.closer.before(s.running.Wait)
	s.start()
	return s, nil
}

func newStream(near io.Writer, far io.Reader, window int) *stream {
	return &stream{
		near: near, far: far, window: uint64(window), content: newContent(),
		ended: make(chan struct{}), arrived: make(chan struct{}, 1),
	}
}

func (s *stream) start() {
	s.running.Go(s.source)
	s.running.Go(s.sink)
}

// source writes until the near end is closed, or the sink has ended.
func (s *stream) source() {
	for sent := uint64(0); ; {
		for s.window > 0 && sent+chunk-s.received.Load() > s.window {
			select {
			case <-s.arrived:
			case <-s.ended:
				return
			}
		}
		n, err := s.near.Write(s.content.at(sent))
		if sent += uint64(n); err != nil {
			s.failure.CompareAndSwap(nil, &err)
			return
		}
	}
}

// sink reads, compares and counts until the far end is closed.
func (s *stream) sink() {
	defer close(s.ended)
	for buf := make([]byte, chunk); ; {
		n, err := s.far.Read(buf)
		got := s.received.Load()
		if !bytes.Equal(buf[:n], s.content.at(got)[:n]) {
			n, err = 0, fmt.Errorf("%w, at byte %d or after", errContent, got)
		}
		s.received.Add(uint64(n))
		if err != nil {
			s.failure.CompareAndSwap(nil, &err)
			return
		}
		select {
		case s.arrived <- struct{}{}:
		default:
		}
	}
}

// moved is an error when the flow has stopped, for whatever reason.
func (s *stream) moved() (Moved, error) {
	if err := s.failure.Load(); err != nil {
		return Moved{}, *err
	}
	return Moved{Received: s.received.Load()}, nil
}
