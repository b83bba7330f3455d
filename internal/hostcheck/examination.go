package hostcheck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// examination is a host, and what several checks want to know of it.
type examination struct {
	*Host
	processes []process // relays that run on this machine
	state     *State    // of the relay with this configuration; nil if none answers
	stateErr  error     // why none does
}

// process is a running relay.
type process struct {
	dir string // "proc/17"
}

// errNoRelay is why some checks have nothing to look at.
var errNoRelay = errors.New("no relay runs on this machine that this user may look at")

func examine(ctx context.Context, h *Host) *examination {
	e := &examination{Host: h, processes: relays(h.Root)}
	switch {
	case h.Relay.Config == "":
		e.stateErr = errors.New("no relay was named; add --config FILE")
	case h.Relay.ConfigErr != nil:
		e.stateErr = errors.New("the configuration can't be used")
	default:
		e.state, e.stateErr = h.Relay.Ask(ctx)
	}
	return e
}

// relays finds the processes 'lethe-relay run'.
func relays(root fs.FS) (found []process) {
	comms, err := fs.Glob(root, "proc/[0-9]*/comm")
	if err != nil {
		return nil // a bad pattern: there is none
	}
	for _, comm := range comms {
		name, err := fs.ReadFile(root, comm)
		if err != nil || strings.TrimSpace(string(name)) != "lethe-relay" {
			continue
		}
		dir := path.Dir(comm)
		args, err := fs.ReadFile(root, dir+"/cmdline")
		if err == nil && slices.Contains(strings.Split(string(args), "\x00"), "run") {
			found = append(found, process{dir})
		}
	}
	return found
}

// id is the process's number.
func (p process) id() string { return path.Base(p.dir) }

// read returns a file's text without the white space around it.
func (e *examination) read(name string) (string, error) {
	data, err := fs.ReadFile(e.Root, name)
	if err != nil {
		return "", unreadable(err)
	}
	return strings.TrimSpace(string(data)), nil
}

// readIn returns the text of a file that a kernel without the feature does not
// have, which is "" then; the folder tells a kernel without it from a machine that
// does not show.
func (e *examination) readIn(folder, file string) (string, error) {
	text, err := e.read(path.Join(folder, file))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(e.Root, folder); err == nil {
			return "", nil
		}
	}
	return text, err
}

// unreadable names the file from the root on.
func unreadable(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("/%s can't be read: %w", p.Path, p.Err)
	}
	return err
}

// booted says whether the kernel was started with a parameter, and its value.
func (e *examination) booted(parameter string) (value string, is bool, err error) {
	line, err := e.read("proc/cmdline")
	if err != nil {
		return "", false, err
	}
	for _, field := range strings.Fields(line) {
		if name, value, _ := strings.Cut(field, "="); name == parameter {
			return value, true, nil
		}
	}
	return "", false, nil
}
