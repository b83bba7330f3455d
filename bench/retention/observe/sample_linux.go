package observe

import (
	"strings"
	"sync"
	"time"
)

// sampleEvery is the time between two looks at what the kernel tells of a process.
const sampleEvery = 100 * time.Millisecond

// sampler calls a function now, at an interval and once more at the end. Calls don't overlap.
type sampler struct {
	end  chan struct{}
	once sync.Once
	done chan struct{}
}

func startSampler(every time.Duration, look func()) *sampler {
	s := &sampler{end: make(chan struct{}), done: make(chan struct{})}
	look()
	go func() {
		defer close(s.done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-s.end:
				look()
				return
			case <-ticker.C:
				look()
			}
		}
	}()
	return s
}

// stop waits for the last look. It may be called again.
func (s *sampler) stop() {
	s.once.Do(func() { close(s.end) })
	<-s.done
}

// allowed says whether a path is in a list of files, and of folders that end in a slash.
func allowed(list []string, path string) bool {
	for _, a := range list {
		if path == a || strings.HasSuffix(a, "/") && strings.HasPrefix(path, a) {
			return true
		}
	}
	return false
}
