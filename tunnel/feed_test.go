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

// TestFeed: what quic-go has room for does not wait; more waits until there is room.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var consumed atomic.Uint64
		f := newFeed(&consumed)
		begin := time.Now()
		f.given = feedBytes
		if f.wait(); time.Since(begin) != 0 {
			t.Error("it waits though there is room")
		}
		f.given++
		time.AfterFunc(feedPatience/2, func() { consumed.Store(1) })
		if f.wait(); time.Since(begin) < feedPatience/2 || time.Since(begin) > feedPatience/2+feedPause {
			t.Errorf("it went on after %v", time.Since(begin))
		}
	})
}

// TestFeedLoss: what quic-go has thrown away is not waited for more than once.
func TestFeedLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var consumed atomic.Uint64
		f, begin := newFeed(&consumed), time.Now()
		f.given = 2 * feedBytes
		if f.wait(); time.Since(begin) != feedPatience {
			t.Errorf("it went on after %v", time.Since(begin))
		}
		f.given += feedBytes
		if f.wait(); time.Since(begin) != feedPatience {
			t.Error("it waited for the same again")
		}
	})
}

// TestFeedBegins: before there is a connection nothing waits, and what it has
// consumed by then counts as given.
func TestFeedBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := &feed{given: 10 * feedBytes}
		f.wait()
		var consumed atomic.Uint64
		consumed.Store(100 * feedBytes)
		f = newFeed(&consumed)
		f.wait()
		if f.given += feedBytes; f.given != 101*feedBytes {
			t.Errorf("given: %d", f.given)
		}
		if f.wait(); time.Since(begin) != 0 {
			t.Errorf("it waited %v", time.Since(begin))
		}
	})
}
