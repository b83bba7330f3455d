package observe

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// childVariable is set in the environment of a test binary that plays an audited process.
const childVariable = "LETHE_OBSERVE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(beChild())
	}
	goleak.VerifyTestMain(m)
}

// child is an audited process. It does what it is told, one line each.
type child struct {
	t      testing.TB
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors io.Reader
	port   uint16 // of its UDP socket
	dir    string // its working folder
}

func startChild(t testing.TB) *child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can watch another process")
	}
	c := &child{t: t, cmd: exec.Command(os.Args[0]), dir: t.TempDir()}
	c.cmd.Env = append(os.Environ(), childVariable+"=1", "GOTRACEBACK=none")
	c.cmd.Dir = c.dir
	c.in, _ = c.cmd.StdinPipe()
	out, _ := c.cmd.StdoutPipe()
	c.out = bufio.NewReader(out)
	c.errors, _ = c.cmd.StderrPipe()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.end)
	fmt.Sscan(c.do("port"), &c.port)
	return c
}

// do has the child do something, and returns what it answers.
func (c *child) do(words ...string) string {
	c.t.Helper()
	fmt.Fprintln(c.in, strings.Join(words, " "))
	answer, err := c.out.ReadString('\n')
	answer = strings.TrimSpace(answer)
	if err != nil || strings.HasPrefix(answer, "failed") {
		c.t.Fatalf("child: %q: %s, %v", words, answer, err)
	}
	return answer
}

func (c *child) end() {
	c.in.Close()
	io.Copy(io.Discard, c.errors)
	c.cmd.Wait()
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// held is what a child keeps.
type held struct {
	socket *net.UDPConn
	files  []io.Closer
	memory [][]byte
	early  []int // sockets with neither address nor peer

	accepted atomic.Pointer[net.Conn]
}

func beChild() int {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 1
	}
	h := &held{socket: socket}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		answer, err := h.do(words[0], strings.Join(words[1:], " "))
		if err != nil {
			answer = "failed: " + err.Error()
		}
		fmt.Println(answer)
	}
	return 0
}

func (h *held) do(what, argument string) (answer string, err error) {
	switch what {
	case "port":
		return fmt.Sprint(h.socket.LocalAddr().(*net.UDPAddr).Port), nil
	case "file":
		return "done", os.WriteFile("new", make([]byte, 10_000), 0o600)
	case "hold":
		f, err := os.Create("held")
		h.files = append(h.files, f)
		return "done", err
	case "read":
		_, err := os.ReadFile(argument)
		return "done", err
	case "memfd":
		fd, err := unix.MemfdCreate("kept", 0)
		f := os.NewFile(uintptr(fd), "kept")
		h.files = append(h.files, f)
		if err == nil {
			_, err = f.WriteString(argument)
		}
		return "done", err
	case "shared":
		return "done", h.share()
	case "spawn":
		return "done", exec.Command("/proc/self/exe", "-test.run", "^$").Run()
	case "heap":
		payload, err := hex.DecodeString(argument)
		h.memory = append(h.memory, payload)
		return "done", err
	case "fill": // this many MiB with noise
		n, err := strconv.Atoi(argument)
		b := make([]byte, n<<20)
		rand.Read(b)
		h.memory = append(h.memory, b)
		return "done", err
	case "listen":
		return h.listen()
	case "print":
		_, err := fmt.Fprintln(os.Stderr, argument)
		return "done", err
	case "send":
		to, err := net.ResolveUDPAddr("udp", argument)
		if err == nil {
			_, err = h.socket.WriteTo(make([]byte, 100), to)
		}
		return "done", err
	case "udp", "tcp", "unixgram":
		conn, err := net.Dial(what, argument)
		if err == nil {
			h.files = append(h.files, conn)
			_, err = conn.Write([]byte("payload"))
		}
		return "done", err
	case "early":
		for _, kind := range []int{unix.SOCK_DGRAM, unix.SOCK_STREAM} {
			fd, err := unix.Socket(unix.AF_INET, kind, 0)
			if err != nil {
				return "", err
			}
			h.early = append(h.early, fd)
		}
		return "done", nil
	case "early-udp", "early-tcp":
		return "done", h.sendEarly(what, argument)
	case "netlink":
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
		h.files = append(h.files, os.NewFile(uintptr(fd), "netlink"))
		return "done", err
	case "dumpable":
		debug.SetTraceback("crash")
		return "done", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	case "undumpable":
		return "done", errors.Join(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	}
	return "", errors.New("it does not know how")
}

// sendEarly sends from a socket that "early" has made, without a call of connect.
func (h *held) sendEarly(what, argument string) error {
	to, err := netip.ParseAddrPort(argument)
	if err != nil {
		return err
	}
	fd, flags := h.early[0], 0
	if what == "early-tcp" {
		fd, flags = h.early[1], unix.MSG_FASTOPEN
	}
	return unix.Sendto(fd, []byte("payload"), flags, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
}

// listen accepts connections, and keeps them.
func (h *held) listen() (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.accepted.Store(&conn)
			conn.Write([]byte("welcome"))
		}
	}()
	return listener.Addr().String(), nil
}

// share maps a file and closes it.
func (h *held) share() error {
	f, err := os.OpenFile("shared", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(4096); err != nil {
		return err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	b[0] = 1
	h.memory = append(h.memory, b)
	return nil
}

// payload makes canary blocks of a key, as hexadecimal.
func payload(k canary.Key, blocks int) string {
	b := make([]byte, blocks*canary.BlockSize)
	canary.NewPlanter(k).Fill(b, 1)
	return hex.EncodeToString(b)
}

func (c *child) path(name string) string { return filepath.Join(c.dir, name) }

func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
