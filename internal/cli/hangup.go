package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// OnHangup calls do at each SIGHUP, one call at a time, until ctx ends. It sees to
// the signal before it returns, so that from then on none ends the program.
func OnHangup(ctx context.Context, do func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				do()
			}
		}
	}()
}
