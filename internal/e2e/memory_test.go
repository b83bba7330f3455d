//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth"
)

// rawID is the 32 bytes that a DeviceID stands for.
func rawID(t *testing.T, text string) []byte {
	t.Helper()
	id, err := auth.ParseDeviceID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id[:]
}

// inMemory counts where a process has these bytes in memory that it may write to.
func inMemory(t *testing.T, pid int, wanted []byte) (found int) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(mode, "rw") {
			found += countIn(t, io.NewSectionReader(memory, int64(from), int64(to-from)), wanted)
		}
	}
	return found
}

// countIn reads piece by piece; what can't be read has no memory behind it.
func countIn(t *testing.T, from io.Reader, wanted []byte) (found int) {
	t.Helper()
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(from, buf[kept:])
		found += bytes.Count(buf[:kept+n], wanted)
		if err != nil {
			if n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Logf("read memory: %v", err)
			}
			return found
		}
		kept = copy(buf, buf[len(buf)-len(wanted)+1:])
	}
}
