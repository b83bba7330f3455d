package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	patience = 2 * time.Second // what takes longer is shown to be under way
	tick     = 500 * time.Millisecond
)

// Progress tells on stderr that something is under way, once it has taken two
// seconds: a line that counts on a terminal, a single line elsewhere. done
// ends it and may be called more than once.
func Progress(what string) (done func()) {
	return progress(os.Stderr, term.IsTerminal(int(os.Stderr.Fd())), what)
}

func progress(w io.Writer, terminal bool, what string) (done func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		began := time.Now()
		timer := time.NewTimer(patience)
		defer timer.Stop()
		for {
			select {
			case <-ended:
				if terminal && time.Since(began) >= patience {
					fmt.Fprint(w, "\r\x1b[K")
				}
				return
			case <-timer.C:
			}
			if !terminal {
				fmt.Fprintf(w, "%s…\n", what)
				<-ended
				return
			}
			fmt.Fprintf(w, "\r\x1b[K%s… %.0f s", what, time.Since(began).Seconds())
			timer.Reset(tick)
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		running.Wait()
	})
}
