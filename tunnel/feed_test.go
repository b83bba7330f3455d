package tunnel

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newFeed makes a feed to a connection that has consumed so much.
func newFeed(consumed *atomic.Uint64) *feed {
	f := &feed{}
	tell := consumed.Load
	f.consumed.Store(&tell)
	return f
}

// give gives n datagrams of a size.
func (f *feed) give(n, size int) {
	for range n {
		f.gave(size)
	}
}

// TestFeed: what quic-go has room for does not wait; more waits until there is room,
// however small the datagrams are.
func TestFeed(t *testing.T) {
	for _, size := range []int{21, 300, 1452} {
		synctest.Test(t, func(t *testing.T) {
			var consumed atomic.Uint64
			f := newFeed(&consumed)
			begin := time.Now()
			f.give(feedDatagrams-1, size)
			if f.wait(); time.Since(begin) != 0 {
				t.Error("it waits though there is room")
			}
			f.give(1, size)
			time.AfterFunc(feedPatience/4, func() { consumed.Store(uint64(size - 1)) }) // none is consumed yet
			time.AfterFunc(feedPatience/2, func() { consumed.Store(uint64(size)) })
			if f.wait(); time.Since(begin) < feedPatience/2 || time.Since(begin) > feedPatience/2+feedPause {
				t.Errorf("%d bytes: it went on after %v", size, time.Since(begin))
			}
		})
	}
}

// TestFeedLoss: what quic-go has thrown away is not waited for more than once.
func TestFeedLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var consumed atomic.Uint64
		f, begin := newFeed(&consumed), time.Now()
		f.give(2*feedDatagrams, 1252)
		if f.wait(); time.Since(begin) != feedPatience {
			t.Errorf("it went on after %v", time.Since(begin))
		}
		f.give(feedDatagrams-1, 1252)
		if f.wait(); time.Since(begin) != feedPatience {
			t.Error("it waited for the same again")
		}
	})
}

// TestFeedPatience is by the clock, and begins again with each progress: the pauses
// are often longer than what was asked for.
func TestFeedPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const late = time.Millisecond
		begin, looks := time.Now(), uint64(0)
		tell := func() uint64 { // some progress at first, none that makes room
			time.Sleep(late)
			looks++
			return min(looks, 10)
		}
		f := &feed{}
		f.consumed.Store(&tell)
		f.give(feedDatagrams, 1252)
		f.wait()
		progress := 10*late + 9*feedPause
		if took := time.Since(begin); took < progress+feedPatience || took > progress+feedPatience+late+feedPause {
			t.Errorf("it went on after %v, of which %v with progress", took, progress)
		}
	})
}

// TestFeedBegins: before there is a connection nothing waits, and what it has
// consumed by then counts as given.
func TestFeedBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &feed{}
		f.give(10*feedDatagrams, 100)
		f.wait()
		var consumed atomic.Uint64
		consumed.Store(10_000_000)
		f = newFeed(&consumed)
		f.wait()
		if f.give(feedDatagrams-1, 100); f.given != 10_000_000+100*(feedDatagrams-1) {
			t.Errorf("given: %d", f.given)
		}
		if f.wait(); time.Since(begin) != 0 {
			t.Errorf("it waited %v", time.Since(begin))
		}
	})
}
