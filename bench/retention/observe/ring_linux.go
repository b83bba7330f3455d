package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ring captures datagrams of all interfaces, without the headers below IP, through memory
// that is shared with the kernel (packet(7), TPACKET_V3): a block of packets costs one wake-up.
type ring struct {
	fd     int
	blocks []byte
	size   int // of a block
	stop   atomic.Bool
	done   chan struct{}
}

const (
	blockSize  = 1 << 20 // fits sixteen of the largest GSO datagrams
	blockCount = 32
	retireMS   = 20 // a block is handed over after so many ms, full or not
	pollMS     = 50 // how soon a capture ends
)

// capture calls each for every datagram that program lets through, in one goroutine, until end is called. size is
// the datagram's own size; packet may be cut short, and is valid until each returns.
func capture(g *Group, program []bpf.Instruction, each func(packet []byte, size int)) (*ring, error) {
	r := &ring{fd: -1, size: blockSize, done: make(chan struct{})}
	if err := inNetworkOf(g.pid, func() error { return r.open(program) }); err != nil {
		if r.fd >= 0 {
			unix.Close(r.fd)
		}
		return nil, err
	}
	go r.read(each)
	return r, nil
}

func (r *ring) open(program []bpf.Instruction) (err error) {
	// Protocol 0 until the filter is in place: nothing arrives.
	if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return err
	}
	request := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: blockCount, Frame_size: 2048, Frame_nr: blockSize / 2048 * blockCount, Retire_blk_tov: retireMS,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return err
	}
	if r.blocks, err = unix.Mmap(r.fd, 0, blockSize*blockCount, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return err
	}
	if err := r.filter(program); err != nil {
		return err
	}
	all := bits.ReverseBytes16(unix.ETH_P_ALL)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		all = unix.ETH_P_ALL
	}
	return unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all})
}

// filter puts another program in place.
func (r *ring) filter(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

func (r *ring) read(each func([]byte, int)) {
	defer close(r.done)
	for next := 0; ; next = (next + 1) % blockCount {
		block := r.blocks[next*r.size : (next+1)*r.size]
		header := (*unix.TpacketHdrV1)(unsafe.Pointer(&(*unix.TpacketBlockDesc)(unsafe.Pointer(&block[0])).Hdr[0]))
		for atomic.LoadUint32(&header.Block_status)&unix.TP_STATUS_USER == 0 {
			if r.stop.Load() {
				return
			}
			unix.Poll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}, pollMS)
		}
		at := header.Offset_to_first_pkt
		for range header.Num_pkts {
			packet := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
			begin := at + uint32(packet.Net)
			each(block[begin:begin+packet.Snaplen], int(packet.Len))
			at += packet.Next_offset
		}
		atomic.StoreUint32(&header.Block_status, unix.TP_STATUS_KERNEL)
	}
}

// end waits for what was captured so far, and returns how much was lost.
func (r *ring) end() (lost uint32, err error) {
	unix.Poll(nil, 2*retireMS) // the last block
	r.stop.Store(true)
	<-r.done
	stats, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		lost = stats.Drops
	}
	return lost, errors.Join(err, unix.Munmap(r.blocks), unix.Close(r.fd))
}

// inNetworkOf calls f in the network namespace of a process.
func inNetworkOf(pid int, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and nobody inherits its network
		done <- func() error {
			namespace, err := unix.Open(proc(pid, "ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(namespace)
			if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter the network of process %d: %w", pid, err)
			}
			return f()
		}()
	}()
	return <-done
}
