package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Processes watches what the group starts.
type Processes struct {
	group   *Group
	sampler *sampler
	events  *os.File // nil if the kernel tells nothing
	done    chan struct{}
	heard   chan struct{} // closed by the kernel's first answer
	hear    sync.Once
	gaps    Result
	lost    Result // owned by read until done is closed
	before  map[int]bool
}

// WatchProcesses listens to the kernel's process events, and looks every 100 ms at who is there.
func WatchProcesses(g *Group) *Processes {
	p := &Processes{group: g, done: make(chan struct{}), heard: make(chan struct{}), before: make(map[int]bool)}
	for _, pid := range g.PIDs() {
		p.before[pid] = true
	}
	if err := p.listen(); err != nil {
		p.gaps.gap(DetectorProcesses, fmt.Sprintf("the kernel tells nothing of new processes (proc connector): %v; those that lived for less than 100 ms may have gone unseen", err))
	}
	p.sampler = startSampler(sampleEvery, func() { g.PIDs() })
	return p
}

// Stop ends. Findings: each process that was started.
func (p *Processes) Stop() Result {
	p.sampler.stop()
	if p.events != nil {
		p.events.SetReadDeadline(time.Now().Add(settle))
		<-p.done
		p.events.Close()
	}
	r := p.gaps
	r.Add(p.lost)
	for _, pid := range p.group.members() {
		if !p.before[pid] {
			r.found(DetectorProcesses, fmt.Sprintf("a process was started: %d", pid))
		}
	}
	return r
}

// The messages of linux/connector.h and linux/cn_proc.h, native byte order.
type (
	connectorMessage struct {
		Index, Value, Sequence, Ack uint32
		Length, Flags               uint16
	}
	processEvent struct {
		What, CPU               uint32
		Time                    uint64
		ParentThread, Parent    uint32
		ChildThread, ChildGroup uint32
	}
)

const (
	connectorProcesses = 1 // CN_IDX_PROC and CN_VAL_PROC
	multicastListen    = 1 // PROC_CN_MCAST_LISTEN
	processNone        = 0 // PROC_EVENT_NONE: the answer to listening
	processFork        = 1 // PROC_EVENT_FORK
	answerWithin       = time.Second
)

// listen asks for events and waits for the answer, which doesn't come inside of a container.
func (p *Processes) listen() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20) // without it more may be lost, which is told
	f := os.NewFile(uintptr(fd), "process events")
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorProcesses}); err != nil {
		return errors.Join(err, f.Close())
	}
	var message bytes.Buffer
	binary.Write(&message, binary.NativeEndian, unix.NlMsghdr{Len: unix.NLMSG_HDRLEN + 24, Type: unix.NLMSG_DONE})
	binary.Write(&message, binary.NativeEndian, connectorMessage{Index: connectorProcesses, Value: connectorProcesses, Length: 4})
	binary.Write(&message, binary.NativeEndian, uint32(multicastListen))
	if err := unix.Sendto(fd, message.Bytes(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return errors.Join(err, f.Close())
	}
	go p.read(f)
	select {
	case <-p.heard:
		p.events = f
		return nil
	case <-time.After(answerWithin):
		f.SetReadDeadline(time.Now())
		<-p.done
		return errors.Join(errors.New("it does not answer, as in a container"), f.Close())
	}
}

func (p *Processes) read(f *os.File) {
	defer close(p.done)
	buffer := make([]byte, 4096)
	for {
		n, err := f.Read(buffer)
		if errors.Is(err, unix.ENOBUFS) {
			p.lost.gap(DetectorProcesses, "the kernel lost process events: there were too many")
			continue
		}
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				p.lost.gap(DetectorProcesses, fmt.Sprintf("process events ended before the audit: %v", err))
			}
			return
		}
		var header connectorMessage
		var event processEvent
		message := bytes.NewReader(buffer[min(n, unix.NLMSG_HDRLEN):n])
		if binary.Read(message, binary.NativeEndian, &header) != nil || binary.Read(message, binary.NativeEndian, &event) != nil {
			continue
		}
		switch {
		case event.What == processNone:
			p.hear.Do(func() { close(p.heard) })
		case event.What == processFork && event.ChildThread == event.ChildGroup:
			p.group.add(int(event.ChildGroup), int(event.Parent))
		}
	}
}
