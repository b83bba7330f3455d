package forward

import (
	"encoding/binary"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// address makes the nth of many addresses.
func address(n int) (a udpio.Addr) {
	a.IP = [16]byte{10: 0xff, 11: 0xff, 12: 10}
	binary.BigEndian.PutUint16(a.IP[13:], uint16(n>>8))
	a.IP[15] = byte(n)
	a.Port = uint16(1 + n%7)
	return a
}

func newTestLegs(n int) []*Leg {
	legs := make([]*Leg, n)
	for i := range legs {
		legs[i] = &Leg{}
	}
	return legs
}

// TestTableIsAMap compares with Go's map. One bucket makes everything collide.
func TestTableIsAMap(t *testing.T) {
	for _, buckets := range []int{0, 1, 100} {
		rapid.Check(t, func(t *rapid.T) {
			table, model := newAddrTable(buckets), make(map[udpio.Addr]*Leg)
			legs := newTestLegs(3)
			addr := rapid.Map(rapid.IntRange(0, 12), address)
			leg := rapid.SampledFrom(legs)
			t.Repeat(map[string]func(*rapid.T){
				"put": func(t *rapid.T) {
					a, l := addr.Draw(t, "addr"), leg.Draw(t, "leg")
					if before := table.put(a, l); before != model[a] {
						t.Fatalf("put(%v) returned another leg than was there", a)
					}
					model[a] = l
				},
				"remove": func(t *rapid.T) {
					a, l := addr.Draw(t, "addr"), leg.Draw(t, "leg")
					table.remove(a, l)
					if model[a] == l {
						delete(model, a)
					}
				},
				"": func(t *rapid.T) { // after every step
					for n := range 13 {
						if a := address(n); table.get(&a) != model[a] {
							t.Fatalf("get(%v) differs from the map", a)
						}
					}
				},
			})
		})
	}
}

func TestTableTellsEveryPartOfAnAddressApart(t *testing.T) {
	table, legs := newAddrTable(0), newTestLegs(4)
	addrs := []udpio.Addr{address(1), address(1), address(1), address(1)}
	addrs[1].Port++
	addrs[2].Scope++
	addrs[3].IP[0]++
	for i, a := range addrs {
		if table.put(a, legs[i]) != nil {
			t.Fatalf("address %d is taken for another", i)
		}
	}
	for i, a := range addrs {
		if table.get(&a) != legs[i] {
			t.Errorf("address %d has the leg of another", i)
		}
	}
}

// TestTableUnderWrites: an address that stays is found at every moment,
// whatever happens to others in its chain.
func TestTableUnderWrites(t *testing.T) {
	const stay, come = 4, 8
	table, legs := newAddrTable(0), newTestLegs(stay+come) // one bucket
	for n := range stay {
		table.put(address(n), legs[n])
	}
	var readers, writers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for n := range stay {
					if a := address(n); table.get(&a) != legs[n] {
						t.Errorf("address %d was lost for a moment", n)
						return
					}
				}
				for n := stay; n < stay+come; n++ {
					if a := address(n); table.get(&a) != nil && table.get(&a) == legs[0] {
						t.Errorf("address %d has the leg of another", n)
					}
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			for i := range 5000 {
				n := stay + (i+w)%come
				table.put(address(n), legs[n])
				table.remove(address(n), legs[n])
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}
