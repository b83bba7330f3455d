package drive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

const (
	// service is what the streams of the audit are for.
	service = "canary"

	// chunk is how much plaintext is written at once, in bytes.
	chunk = 16 << 10
)

// streamEnd is one end of a stream in a tunnel. Both ends send canary blocks,
// and check what they get. The device's first 8 bytes are the number of its
// first block, which the router's first follows from.
type streamEnd struct {
	conn net.Conn
	*part
	every time.Duration // between two chunks; zero: as fast as it goes
}

// begin is the device's side of the beginning.
func (e *streamEnd) begin(number uint64) error {
	_, err := e.conn.Write(binary.BigEndian.AppendUint64(nil, number))
	return err
}

// begun is the router's side of it.
func (e *streamEnd) begun() (number uint64, err error) {
	var b [8]byte
	if _, err := io.ReadFull(e.conn, b[:]); err != nil {
		return 0, err
	}
	number = binary.BigEndian.Uint64(b[:])
	if number>>groupShift != uint64(e.group) {
		return 0, fmt.Errorf("%w: a stream of another group", errContent)
	}
	return number, nil
}

// run sends from one number on and expects another, until the stream ends.
func (e *streamEnd) run(sends, expects uint64) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { e.send(sends) })
	e.counts.fail(e.receive(expects))
	e.conn.Close()
}

// send sends until the stream ends, or the part is to be quiet.
func (e *streamEnd) send(number uint64) {
	buf := make([]byte, chunk)
	pause := time.NewTicker(max(e.every, 1))
	defer pause.Stop()
	for !e.quiet.Load() {
		if e.every > 0 {
			<-pause.C
		}
		e.planter.Fill(buf, number)
		if _, err := e.conn.Write(buf); err != nil {
			return
		}
		number += chunk / canary.BlockSize
		e.counts.written.Add(chunk / canary.BlockSize)
	}
}

// receive returns what was wrong, or why the stream has ended.
func (e *streamEnd) receive(number uint64) error {
	checker := canary.NewChecker(e.key, number)
	buf := make([]byte, chunk)
	for {
		n, err := e.conn.Read(buf)
		if _, wrong := checker.Write(buf[:n]); wrong != nil {
			return errors.Join(errContent, wrong)
		}
		e.counts.checked.Add(uint64(n))
		e.counts.inTunnel.Add(uint64(n))
		if err != nil {
			return err
		}
	}
}
