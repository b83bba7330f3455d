package control

import (
	"sync/atomic"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// codeOK stands for success where a code says how a request ended.
const codeOK wire.Code = ""

// Outcomes counts how requests of one kind ended. Codes that this relay does
// not know, which a router may make up, count as internal.
type Outcomes struct {
	byNumber [wire.CloseNumbers]atomic.Uint64 // index: the code's close number, 0 for success
}

func (o *Outcomes) count(c wire.Code) { o.byNumber[number(c)].Add(1) }

// Each calls f with every code that has occurred; "ok" is success.
func (o *Outcomes) Each(f func(code string, times uint64)) {
	for n := range o.byNumber {
		times := o.byNumber[n].Load()
		switch {
		case times == 0:
		case n == 0:
			f("ok", times)
		default:
			f(string(wire.CodeOfClose(uint64(n))), times)
		}
	}
}

// codeOf is the outcome of a request that was refused so, or not at all.
func codeOf(refused *wire.Error) wire.Code {
	if refused == nil {
		return codeOK
	}
	return refused.Code
}

func number(c wire.Code) uint64 {
	if c == codeOK {
		return wire.CloseNone
	}
	return c.CloseNumber()
}

// closeWith is the number that a connection is closed with for this reason.
func closeWith(c wire.Code) quic.ApplicationErrorCode {
	return quic.ApplicationErrorCode(number(c))
}
