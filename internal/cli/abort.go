package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// DieQuietly has SIGQUIT and SIGABRT end the program without a word. Left to
// itself the runtime prints the stacks of all goroutines, with their arguments,
// and does so whatever GOTRACEBACK says.
func DieQuietly() {
	die := make(chan os.Signal, 1)
	signal.Notify(die, syscall.SIGQUIT, syscall.SIGABRT)
	go func() {
		<-die
		os.Exit(ExitFailed)
	}()
}
