package observe

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// span is a range of addresses.
type span struct{ from, to uint64 }

// pages tells which pages of a process are in memory or swap. Others hold
// nothing of its own: they were never written, or are a file's.
type pages struct{ file *os.File }

func openPages(pid int) (pages, error) {
	f, err := os.Open(proc(pid, "pagemap"))
	return pages{f}, err
}

// The ioctl PAGEMAP_SCAN (Linux 6.7), of linux/fs.h, which jumps over holes.
const (
	pagemapScan = 0xc0606610
	pagePresent = 1 << 3
	pageSwapped = 1 << 4
	pageZero    = 1 << 5 // the kernel's one page of zeros
)

type scanArgument struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, returned                         uint64
}

type pageRegion struct{ start, end, categories uint64 }

// in returns the spans of s that hold something.
func (p pages) in(s span) (spans []span, err error) {
	regions := make([]pageRegion, 512)
	for s.from < s.to {
		arg := scanArgument{
			size: uint64(unsafe.Sizeof(scanArgument{})), start: s.from, end: s.to,
			vec: uint64(uintptr(unsafe.Pointer(&regions[0]))), vecLen: uint64(len(regions)),
			inverted: pageZero, mask: pageZero, anyOf: pagePresent | pageSwapped, returned: pagePresent | pageSwapped,
		}
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, p.file.Fd(), pagemapScan, uintptr(unsafe.Pointer(&arg)))
		runtime.KeepAlive(regions)
		if errno == unix.ENOTTY || errno == unix.EINVAL {
			return p.inByPage(s)
		}
		if errno != 0 {
			return spans, errno
		}
		for _, r := range regions[:n] {
			spans = appendSpan(spans, span{r.start, r.end})
		}
		s.from = arg.walkEnd
	}
	return spans, nil
}

// inByPage is in for older kernels: 8 bytes for each page, holes too.
func (p pages) inByPage(s span) (spans []span, err error) {
	page := uint64(os.Getpagesize())
	entries := make([]byte, 1<<20)
	for s.from < s.to {
		n, err := p.file.ReadAt(entries[:min(uint64(len(entries)), (s.to-s.from)/page*8)], int64(s.from/page*8))
		for at := 0; at+8 <= n; at += 8 {
			if binary.NativeEndian.Uint64(entries[at:])>>62 != 0 { // bit 63 present, 62 swapped
				spans = appendSpan(spans, span{s.from, s.from + page})
			}
			s.from += page
		}
		if err != nil || n == 0 {
			return spans, errors.Join(err)
		}
	}
	return spans, nil
}

// appendSpan joins a span to the last one if they touch.
func appendSpan(spans []span, s span) []span {
	if last := len(spans) - 1; last >= 0 && spans[last].to == s.from {
		spans[last].to = s.to
		return spans
	}
	return append(spans, s)
}
