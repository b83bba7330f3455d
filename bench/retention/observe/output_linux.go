package observe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Output collects what a process prints.
type Output struct {
	texts   texts
	readers sync.WaitGroup
	echoing sync.Mutex
	gaps    Result
	journal *exec.Cmd
}

// CollectOutput reads from readers, by name ("stdout"), until they end. Each line is also
// written to echo, if that is not nil.
func CollectOutput(readers map[string]io.Reader, echo io.Writer) *Output {
	o := &Output{}
	for name, reader := range readers {
		o.collect(name, reader, echo)
	}
	return o
}

func (o *Output) collect(name string, reader io.Reader, echo io.Writer) {
	o.readers.Go(func() {
		lines := bufio.NewReader(reader)
		for {
			line, err := lines.ReadSlice('\n')
			o.texts.add(name, line)
			if echo != nil && len(line) > 0 {
				o.echoing.Lock()
				echo.Write(line)
				o.echoing.Unlock()
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
		}
	})
}

// AddJournal collects the journal of a systemd unit from now on, for a process that was
// attached to. Call it once, before Scan.
func (o *Output) AddJournal(unit string) {
	cmd := exec.Command("journalctl", "--unit", unit, "--follow", "--lines", "0", "--output", "verbose")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		o.gaps.gap(DetectorOutput, fmt.Sprintf("the journal of %s can't be read: %v", unit, err))
		return
	}
	o.journal = cmd
	o.collect("the journal of "+unit, out, nil)
}

// Scan looks through what has been printed so far.
func (o *Output) Scan(f *canary.Finder) (canary.Found, Result) {
	found, r := o.texts.scan(DetectorOutput, f)
	r.Add(o.gaps)
	return found, r
}

// Stop waits until the readers have ended; the caller sees to it that they do.
func (o *Output) Stop() {
	if o.journal != nil {
		o.journal.Process.Kill()
	}
	o.readers.Wait()
	if o.journal != nil {
		o.journal.Wait() // it was killed
		o.journal = nil
	}
}
