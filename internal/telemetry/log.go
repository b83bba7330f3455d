package telemetry

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"
)

// Log takes events. A nil *Log says nothing. It is safe for concurrent use.
type Log struct{ to *slog.Logger }

// New makes a log that writes to l.
func New(l *slog.Logger) *Log { return &Log{l} }

// Value is a part of an event: a number, a duration, a flag or a code.
type Value struct{ attr slog.Attr }

// Number is a count or a size. A type that is made of one, such as a leg's ID, is
// refused: it names something, and the log would show its own text of it.
func Number[N int | int64 | uint64](k Key, n N) Value {
	if u, ok := any(n).(uint64); ok {
		return Value{slog.Uint64(k.String(), u)}
	}
	return Value{slog.Int64(k.String(), int64(n))}
}

// Duration is a length of time.
func Duration(k Key, d time.Duration) Value { return Value{slog.Duration(k.String(), d)} }

// Flag is yes or no.
func Flag(k Key, yes bool) Value { return Value{slog.Bool(k.String(), yes)} }

// Code is one of at most 256 texts that are written in the program.
func Code[C interface {
	~uint8
	fmt.Stringer
}](k Key, code C) Value {
	return Value{slog.String(k.String(), code.String())}
}

// Say logs an event at its own level.
func (l *Log) Say(e Event, values ...Value) {
	if l == nil {
		return
	}
	attrs := make([]slog.Attr, len(values))
	for i, v := range values {
		attrs[i] = v.attr
	}
	l.to.LogAttrs(context.Background(), eventTexts[e].level, e.String(), attrs...)
}

// Instead makes a logger for a library that insists on one: whatever that writes,
// the event is said in its place, and the text, which may name addresses, is lost.
func (l *Log) Instead(e Event) *log.Logger { return log.New(instead{l, e}, "", 0) }

type instead struct {
	log   *Log
	event Event
}

var _ io.Writer = instead{}

func (i instead) Write(text []byte) (int, error) {
	i.log.Say(i.event)
	return len(text), nil
}
