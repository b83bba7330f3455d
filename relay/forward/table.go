package forward

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// addrTable maps source addresses to legs. Readers take no lock: a bucket is
// an atomic pointer to a chain of nodes that are never changed once they can
// be seen. Writers replace chains, one writer at a time.
//
// The number of buckets is fixed when the table is made, from the configured
// number of sessions, so that it never has to grow under traffic. The hash is
// seeded: whoever can choose source addresses can't choose a bucket.
type addrTable struct {
	seed    maphash.Seed
	mask    uint64
	buckets []atomic.Pointer[addrNode]

	mu sync.Mutex // held by writers
}

type addrNode struct {
	addr udpio.Addr
	leg  *Leg
	next *addrNode
}

func newAddrTable(legs int) *addrTable {
	size := 1
	for size < 2*legs {
		size *= 2
	}
	return &addrTable{seed: maphash.MakeSeed(), mask: uint64(size - 1), buckets: make([]atomic.Pointer[addrNode], size)}
}

func (t *addrTable) bucket(addr *udpio.Addr) *atomic.Pointer[addrNode] {
	var key [22]byte
	copy(key[:16], addr.IP[:])
	binary.NativeEndian.PutUint32(key[16:], addr.Scope)
	binary.NativeEndian.PutUint16(key[20:], addr.Port)
	return &t.buckets[maphash.Bytes(t.seed, key[:])&t.mask]
}

// get returns the leg bound to addr, or nil.
func (t *addrTable) get(addr *udpio.Addr) *Leg {
	for n := t.bucket(addr).Load(); n != nil; n = n.next {
		if n.addr == *addr {
			return n.leg
		}
	}
	return nil
}

// put binds addr to leg and returns the leg that it was bound to before, if any.
func (t *addrTable) put(addr udpio.Addr, leg *Leg) (before *Leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(&addr)
	rest, before := without(b.Load(), addr)
	b.Store(&addrNode{addr: addr, leg: leg, next: rest})
	return before
}

// remove takes addr out if it is still bound to leg.
func (t *addrTable) remove(addr udpio.Addr, leg *Leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(&addr)
	if rest, before := without(b.Load(), addr); before == leg {
		b.Store(rest)
	}
}

// without returns the chain less the node of addr, copying what stands before
// it, and the leg of that node.
func without(n *addrNode, addr udpio.Addr) (*addrNode, *Leg) {
	if n == nil {
		return nil, nil
	}
	if n.addr == addr {
		return n.next, n.leg
	}
	rest, found := without(n.next, addr)
	if found == nil {
		return n, nil
	}
	return &addrNode{addr: n.addr, leg: n.leg, next: rest}, found
}
