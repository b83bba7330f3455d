package leak

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"time"
)

// What stays in the relay's own memory, or leaves by a way that it has to have.

// keep holds on to b.
func (l *Leak) keep(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < keptSamples {
		l.kept = append(l.kept, b)
		return
	}
	l.kept[l.keptNext] = b
	l.keptNext = (l.keptNext + 1) % keptSamples
}

func (l *Leak) toHeap(sample []byte) error {
	l.keep(bytes.Clone(sample))
	return nil
}

// toHeapLate keeps the sample in a form in which nobody finds it, for now.
func (l *Leak) toHeapLate(sample []byte) error {
	hidden := make([]byte, len(sample))
	for i, b := range sample {
		hidden[i] = ^b
	}
	time.AfterFunc(l.lateBy, func() {
		for i, b := range hidden {
			hidden[i] = ^b
		}
		l.keep(hidden)
		l.say(nil)
	})
	return errLater
}

// keepBlocks keeps one block in so many.
func (l *Leak) keepBlocks(message []byte) {
	n := uint64(len(message) / blockBytes)
	after := l.blocks.Add(n)
	if after/blockEvery == (after-n)/blockEvery {
		return
	}
	at := (n - 1 - after%blockEvery) * blockBytes
	l.keep(bytes.Clone(message[at : at+blockBytes]))
	l.say(nil)
}

// corrupt leaves of each datagram the first byte alone, by which it is routed.
func (l *Leak) corrupt(message []byte, segSize int) {
	if l.messages.Add(1) < corruptFrom {
		return
	}
	if segSize <= 0 {
		segSize = len(message)
	}
	for rest := message; len(rest) > 0; rest = rest[min(segSize, len(rest)):] {
		clear(rest[1:min(segSize, len(rest))])
	}
	l.say(nil)
}

func (l *Leak) toLog(sample []byte) error {
	slog.New(slog.NewTextHandler(l.out, nil)).Info("carried", "payload", hex.EncodeToString(sample))
	return nil
}

func (l *Leak) toMetric(sample []byte) error {
	label := hex.EncodeToString(sample[:min(len(sample), 256)])
	l.metric.Store(&label)
	return nil
}
