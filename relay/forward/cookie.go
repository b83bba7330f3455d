package forward

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// cookieJar makes and checks the cookies that prove that whoever sent a BIND
// can also read at the address it came from. It keeps no state per address:
// a cookie is a MAC over the address and the leg, under a key that changes
// every cookieLifetime and is good for one lifetime more.
type cookieJar struct {
	keys atomic.Pointer[cookieKeys]
}

type cookieKeys struct{ current, previous [32]byte }

func newCookieJar() *cookieJar {
	j := &cookieJar{}
	k := &cookieKeys{}
	rand.Read(k.current[:])
	rand.Read(k.previous[:])
	j.keys.Store(k)
	return j
}

// rotate is called every cookieLifetime.
func (j *cookieJar) rotate() {
	k := &cookieKeys{previous: j.keys.Load().current}
	rand.Read(k.current[:])
	j.keys.Store(k)
}

func (j *cookieJar) make(from udpio.Addr, leg wire.LegID) wire.Cookie {
	return cookieUnder(&j.keys.Load().current, from, leg)
}

func (j *cookieJar) check(c wire.Cookie, from udpio.Addr, leg wire.LegID) bool {
	k := j.keys.Load()
	current, previous := cookieUnder(&k.current, from, leg), cookieUnder(&k.previous, from, leg)
	return hmac.Equal(c[:], current[:]) || hmac.Equal(c[:], previous[:])
}

func cookieUnder(key *[32]byte, from udpio.Addr, leg wire.LegID) (c wire.Cookie) {
	var b [30]byte
	copy(b[:16], from.IP[:])
	binary.BigEndian.PutUint32(b[16:], from.Scope)
	binary.BigEndian.PutUint16(b[20:], from.Port)
	binary.BigEndian.PutUint64(b[22:], uint64(leg))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(b[:])
	copy(c[:], mac.Sum(nil))
	return c
}
