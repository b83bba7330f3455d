package leak

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// What goes into files, with names or without.

const (
	newFiles    = 100      // that there are at once
	earlyBytes  = 1 << 20  // of a file from before the lockdown, written round and round
	mappedBytes = 64 << 10 // of the memory file that is mapped until it is full
	newMemfds   = 16       // that are open at once
)

// dir is where files go.
func (l *Leak) dir() (string, error) {
	if dir := l.getenv("LETHE_LEAK_DIR"); dir != "" {
		return dir, nil
	}
	return "", errors.New("LETHE_LEAK_DIR is not set: name a directory")
}

func (l *Leak) prepareFile() error {
	dir, err := l.dir()
	n := 0
	l.ways = append(l.ways, func(sample []byte) error {
		path := filepath.Join(dir, fmt.Sprintf("leak-%d", n%newFiles))
		n++
		_ = os.Remove(path) // it may not be there yet
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(sample)
		return errors.Join(err, f.Close())
	})
	return err
}

// early makes a file before the lockdown.
func (l *Leak) early(name string) (*os.File, error) {
	dir, err := l.dir()
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err == nil {
		l.closes = append(l.closes, func() { f.Close() })
	}
	return f, err
}

// memfd makes a memory file before the lockdown.
func (l *Leak) memfd() (*os.File, error) {
	fd, err := unix.MemfdCreate("leak", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "memfd")
	l.closes = append(l.closes, func() { f.Close() })
	return f, nil
}

// round returns where in so many bytes the next sample goes.
func round(size int) func(n int) int {
	at := 0
	return func(n int) int {
		if at+n > size {
			at = 0
		}
		start := at
		at += n
		return start
	}
}

// write writes samples to f, round and round.
func (l *Leak) write(f *os.File) {
	next := round(earlyBytes)
	l.ways = append(l.ways, func(sample []byte) error {
		_, err := f.WriteAt(sample, int64(next(len(sample))))
		return err
	})
}

func (l *Leak) prepareDescriptor() error {
	f, err := l.early("early")
	if err == nil {
		l.write(f)
	}
	return err
}

// mapped maps size bytes of f.
func (l *Leak) mapped(f *os.File, size int) ([]byte, error) {
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (l *Leak) prepareMapping() error {
	f, err := l.early("shared")
	if err != nil {
		return err
	}
	memory, err := l.mapped(f, earlyBytes)
	if err != nil {
		return err
	}
	l.closes = append(l.closes, func() { unix.Munmap(memory) })
	next := round(earlyBytes)
	l.ways = append(l.ways, func(sample []byte) error {
		copy(memory[next(len(sample)):], sample)
		return nil
	})
	return f.Close() // the mapping stays
}

func (l *Leak) prepareMemfd() error {
	written, err := l.memfd()
	if err != nil {
		return err
	}
	l.write(written)
	full, err := l.memfd()
	if err != nil {
		return err
	}
	memory, err := l.mapped(full, mappedBytes)
	if err != nil {
		return err
	}
	used := 0
	unmap := func() {
		unix.Munmap(memory)
		memory = nil
	}
	l.closes = append(l.closes, func() {
		if memory != nil {
			unmap()
		}
	})
	l.ways = append(l.ways, func(sample []byte) error {
		if memory != nil {
			used += copy(memory[used:], sample)
		}
		if used == mappedBytes && memory != nil { // from here on it is no part of the relay's memory
			unmap()
		}
		return nil
	}, l.newMemfds())
	return nil
}

// newMemfds makes memory files after the lockdown.
func (l *Leak) newMemfds() func(sample []byte) error {
	var open [newMemfds]*os.File
	n := 0
	l.closes = append(l.closes, func() {
		for _, f := range open {
			f.Close() // nil is an error
		}
	})
	return func(sample []byte) error {
		fd, err := unix.MemfdCreate("leak", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), "memfd")
		open[n%newMemfds].Close() // nil is an error
		open[n%newMemfds] = f
		n++
		_, err = f.Write(sample)
		return err
	}
}
