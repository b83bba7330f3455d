//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCapture watches the wire at the relay while a page is fetched and a form
// is sent. Nothing of either is on it, in no spelling; nor is it, or who they
// are, in what the relay logs and counts. The same canaries are found on the
// far side of the tunnel, between agent and web server.
func TestCapture(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	need(t, map[string]string{"tcpdump": "tcpdump", "tshark": "tshark"})
	n := newNetwork(t, ctx)
	w := serveWeb(t, ctx, "127.0.0.1:8000", n.in("router")...)
	h := startRelay(t, ctx, n.home())
	atRelay := startCapture(t, ctx, n.in("relay"))
	h.startAgent(ctx, "http=tcp:"+w.addr)
	router := strings.TrimPrefix(h.agent.prints(ctx, h.agent.stdout, 0, "ready "), "ready ")
	h.pair(ctx)
	behindAgent := startCapture(t, ctx, n.in("router"), "port", "8000")

	_, addrs := h.forward(ctx, "http")
	canaries := visit(t, ctx, h, w, "http://"+addrs["http"])
	metrics := h.metrics(ctx)
	wire, far := atRelay.end(ctx), behindAgent.end(ctx)
	sent := h.relay.stderr.String() + metrics

	for what, canary := range canaries {
		if !bytes.Contains(far, canary) {
			t.Errorf("the canary in the %s is not in the control capture: the search would not find it", what)
		}
		for name, spelling := range spellings(canary) {
			if bytes.Contains(wire, spelling) {
				t.Errorf("the canary in the %s is on the wire at the relay, as %s", what, name)
			}
			if strings.Contains(sent, string(spelling)) {
				t.Errorf("the canary in the %s is in the relay's log or metrics, as %s", what, name)
			}
		}
	}
	for what, secret := range map[string]string{"RouterID": router, "phone's address": "198.51.100.2", "router's address": "203.0.113.2"} {
		if strings.Contains(sent, secret) {
			t.Errorf("the %s is in the relay's log or metrics:\n%s", what, sent)
		}
	}
	if !strings.Contains(metrics, "lethe_relay_forwarded_bytes_total") {
		t.Errorf("these are no metrics:\n%s", metrics)
	}
	atRelay.isWhole(ctx)
}

const pageSize = 2 << 20

// visit puts a canary into each part of two requests and an answer.
func visit(t *testing.T, ctx context.Context, h *home, w *web, base string) map[string][]byte {
	t.Helper()
	canaries := make(map[string][]byte)
	for _, what := range []string{"header", "URL", "request body", "answer"} {
		canaries[what] = []byte("canary-" + rand.Text())
	}
	w.put("page.html", pageSize, 9, sha256.New())
	page := filepath.Join(w.root, "page.html")
	text := read(t, page)
	write(t, page, text[:pageSize/2]+string(canaries["answer"])+text[pageSize/2:])
	curl := append(h.places.phone, "curl", "-sS", "--fail")
	must(t, ctx, append(curl, "-o", os.DevNull, "-H", fmt.Sprintf("Cookie: %s", canaries["header"]), fmt.Sprintf("%s/page.html?%s", base, canaries["URL"]))...)
	form := filepath.Join(t.TempDir(), "form")
	write(t, form, string(canaries["request body"]))
	must(t, ctx, append(curl, "-T", form, base+"/put/form")...)
	return canaries
}

// spellings are the ways in which text might show up.
func spellings(text []byte) map[string][]byte {
	out := map[string][]byte{
		"plain text":     text,
		"hex":            []byte(hex.EncodeToString(text)),
		"upper case hex": bytes.ToUpper([]byte(hex.EncodeToString(text))),
	}
	for shift := range 3 { // base64 of it depends on what stands in front; its own part does not, but for the ends
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
		out[fmt.Sprintf("base64 behind %d bytes", shift)] = []byte(encoded[4 : len(encoded)-4])
	}
	return out
}

func (h *home) metrics(ctx context.Context) string {
	h.t.Helper()
	return must(h.t, ctx, "curl", "-sS", "--fail", "--unix-socket", h.at("relay/admin.sock"), "http://relay/metrics")
}

// A packetCapture is a tcpdump on all interfaces of a namespace.
type packetCapture struct {
	*program
	in   []string
	file string
}

func startCapture(t *testing.T, ctx context.Context, in []string, filter ...string) *packetCapture {
	t.Helper()
	file := filepath.Join(t.TempDir(), "wire.pcap")
	command := append(in, "tcpdump", "-n", "-i", "any", "-U", "--immediate-mode", "-s", "70000", "-B", "131072", "-Z", "root", "-w", file)
	if len(filter) > 0 {
		command = append(command, "("+strings.Join(filter, " ")+") or udp port "+lastPort)
	}
	c := &packetCapture{program: start(t, ctx, command...), in: in, file: file}
	c.prints(ctx, c.stderr, 0, "listening on")
	return c
}

const lastPort = "9" // discard: nobody listens

// end sends one last packet, waits until it is in the capture, ends tcpdump,
// and returns the whole file.
func (c *packetCapture) end(ctx context.Context) []byte {
	c.t.Helper()
	last := rand.Text()
	must(c.t, ctx, append(c.in, "bash", "-c", fmt.Sprintf("echo %s >/dev/udp/127.0.0.1/%s", last, lastPort))...)
	until(c.t, ctx, "the last packet is captured", func() bool { return strings.Contains(read(c.t, c.file), last) })
	c.stop(syscall.SIGINT)
	if !strings.Contains(c.stderr.String(), " 0 packets dropped by kernel") && !strings.Contains(c.stderr.String(), "\n0 packets dropped by kernel") {
		c.t.Errorf("tcpdump has lost packets:\n%s", c.stderr)
	}
	return []byte(read(c.t, c.file))
}

// isWhole reads the capture with the dissector: the page is in it, on both of
// the relay's links, and so are both legs' messages.
func (c *packetCapture) isWhole(ctx context.Context) {
	c.t.Helper()
	var bytes int
	legs := make(map[string]map[string]bool) // by address: the types of messages
	for line := range strings.Lines(c.dissect(ctx)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		length, err := strconv.Atoi(f[2])
		if err != nil {
			continue // not UDP
		}
		bytes += length
		if kind := f[3]; kind != "" {
			for _, addr := range f[:2] {
				if legs[addr] == nil {
					legs[addr] = make(map[string]bool)
				}
				legs[addr][kind] = true
			}
		}
	}
	if bytes < 2*pageSize {
		c.t.Errorf("%d bytes of UDP are in the capture, want at least %d: the page comes and goes", bytes, 2*pageSize)
	}
	for _, addr := range []string{"198.51.100.2", "203.0.113.2"} {
		for name, kind := range map[string]string{"BIND": "0x04", "COOKIE": "0x05", "BOUND": "0x06"} {
			if !legs[addr][kind] {
				c.t.Errorf("no %s of the leg at %s is dissected; there are %v", name, addr, legs[addr])
			}
		}
	}
}

// dissect gives source, destination, length and leg message type of each packet.
func (c *packetCapture) dissect(ctx context.Context) string {
	c.t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "deploy", "wireshark", "lethe.lua"))
	if err != nil {
		c.t.Fatal(err)
	}
	return must(c.t, ctx, "env", "HOME="+c.t.TempDir(), "tshark", "-n", "-X", "lua_script:"+script, "-r", c.file, "-d", "udp.port==443,lethe",
		"-T", "fields", "-E", "separator=|", "-e", "ip.src", "-e", "ip.dst", "-e", "udp.length", "-e", "lethe.leg.type")
}
