package control

import (
	"slices"
	"sync"
	"testing"
)

// TestLatest: one call at a time, and of what comes meanwhile the last only.
func TestLatest(t *testing.T) {
	var wg sync.WaitGroup
	var done []int
	begun, goOn := make(chan struct{}), make(chan struct{})
	l := latest[int]{
		launch: func(f func()) bool { wg.Go(f); return true },
		do: func(n int) {
			done = append(done, n)
			begun <- struct{}{}
			<-goOn
		},
	}
	l.put(1)
	<-begun
	l.put(2)
	l.put(3)
	goOn <- struct{}{}
	<-begun
	goOn <- struct{}{}
	wg.Wait()
	l.put(4) // the goroutine has ended: another begins
	<-begun
	l.put(5)
	l.stop()
	l.put(6)
	goOn <- struct{}{}
	wg.Wait()
	if want := []int{1, 3, 4}; !slices.Equal(done, want) {
		t.Errorf("called with %v, want %v", done, want)
	}
}

// TestLatestAtTheEnd: nothing starts any more once Serve waits.
func TestLatestAtTheEnd(t *testing.T) {
	s := &Server{}
	s.wait()
	l := latest[int]{launch: s.launch, do: func(int) { t.Error("called") }}
	l.put(1)
	s.peers.Wait()
	if l.running {
		t.Error("it is running")
	}
}
