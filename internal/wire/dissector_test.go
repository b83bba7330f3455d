package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const dissector = "../../deploy/wireshark/lethe.lua"

// datagram is a UDP datagram of a capture. All go between the same addresses,
// as on a leg.
type datagram struct {
	port    uint16 // of the relay
	payload []byte
}

// dissect returns the values of fields for each datagram, by tshark with the
// dissector and options.
func dissect(t *testing.T, datagrams []datagram, options []string, fields ...string) [][]string {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("needs tshark")
	}
	file := filepath.Join(t.TempDir(), "legs.cap")
	if err := os.WriteFile(file, capture(datagrams), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-X", "lua_script:" + dissector, "-r", file, "-T", "fields", "-E", "separator=|"}
	args = append(args, options...)
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	cmd := exec.CommandContext(t.Context(), tshark, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // no personal preferences
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || strings.Contains(stderr.String(), "Lua") {
		t.Fatalf("tshark: %v: %s", err, &stderr)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	if len(rows) != len(datagrams) {
		t.Fatalf("tshark shows %d datagrams of %d: %s", len(rows), len(datagrams), &stderr)
	}
	return rows
}

// capture returns datagrams as a pcap file of raw IPv4 packets.
func capture(datagrams []datagram) []byte {
	const magic, linkTypeRaw, snapLength = 0xa1b2c3d4, 101, 65535
	b := binary.BigEndian.AppendUint32(nil, magic)
	b = binary.BigEndian.AppendUint32(b, 2<<16|4) // version 2.4
	b = append(b, make([]byte, 8)...)             // time zone, accuracy
	b = binary.BigEndian.AppendUint32(b, snapLength)
	b = binary.BigEndian.AppendUint32(b, linkTypeRaw)
	for i, d := range datagrams {
		p := packet(d)
		for _, n := range []int{i, 0, len(p), len(p)} { // seconds, microseconds, sizes
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		}
		b = append(b, p...)
	}
	return b
}

func packet(d datagram) []byte {
	const udpHeader, ipHeader, ttl, udp = 8, 20, 64, 17
	size := udpHeader + len(d.payload)
	p := []byte{0x45, 0}
	p = binary.BigEndian.AppendUint16(p, uint16(ipHeader+size))
	p = append(p, 0, 0, 0, 0, ttl, udp, 0, 0) // no fragments, no checksum
	p = append(p, 192, 0, 2, 1, 192, 0, 2, 2) // RFC 5737
	p = binary.BigEndian.AppendUint16(p, 50000)
	p = binary.BigEndian.AppendUint16(p, d.port)
	p = binary.BigEndian.AppendUint16(p, uint16(size))
	p = append(p, 0, 0) // no checksum
	return append(p, d.payload...)
}

func TestDissectorShowsVectors(t *testing.T) {
	all := vectors(t, true)
	var sent []datagram
	for i, v := range all {
		sent = append(sent, datagram{uint16(443 + i), v.wire(t)})
	}
	rows := dissect(t, sent, nil, "_ws.col.Protocol", "lethe.leg.type", "lethe.leg.version", "lethe.leg.reserved",
		"lethe.leg.id", "lethe.leg.counter", "lethe.leg.cookie", "lethe.leg.mac", "_ws.expert", "_ws.col.Info")
	for i, v := range all {
		m := legFromVector(t, v)
		want := []string{
			"LETHE", fmt.Sprintf("0x%02x", uint8(m.Type)), "1", "0x0000",
			fmt.Sprintf("0x%016x", uint64(m.Leg)), fmt.Sprint(m.Counter),
			fmt.Sprintf("%x", m.Cookie[:]), fmt.Sprintf("%x", sent[i].payload[macOffset:]), "",
			fmt.Sprintf("%s leg=0x%016x counter=%d", m.Type, uint64(m.Leg), m.Counter),
		}
		if got := strings.Join(rows[i], "|"); got != strings.Join(want, "|") {
			t.Errorf("%s: shown as\n%s, want\n%s", v.Name, got, strings.Join(want, "|"))
		}
	}
}

// What the parser refuses is not shown as a leg message, but for a stray
// cookie, which gets a remark.
func TestDissectorOnRefused(t *testing.T) {
	refused := loadJSON[struct{ Name, Error, Bytes string }](t, "testdata/refused/leg.json")
	var sent []datagram
	for i, v := range refused {
		sent = append(sent, datagram{uint16(4000 + i), unhex(t, v.Bytes)})
	}
	rows := dissect(t, sent, nil, "lethe.leg.type", "lethe.leg.cookie.stray")
	for i, v := range refused {
		stray := v.Error == "ErrLegCookie"
		if shown, remark := rows[i][0] != "", rows[i][1] != ""; shown != stray || remark != stray {
			t.Errorf("%s: shown %v, remark %v", v.Name, shown, remark)
		}
	}
}

// A leg's address carries leg messages and the tunnel. Both are shown,
// whichever comes first.
func TestDissectorSharesPortWithQUIC(t *testing.T) {
	bind := datagram{443, vectors(t, true)[0].wire(t)}
	initial := datagram{443, make([]byte, 1200)} // QUIC version 1, 8 byte connection id, no token
	copy(initial.payload, unhex(t, "c0 00000001 08 0102030405060708 00 00 449e"))
	short := datagram{443, append([]byte{0x40}, make([]byte, 60)...)}
	noise := datagram{443, make([]byte, 60)}
	decodeAs := []string{"-d", "udp.port==443,lethe"}
	for name, c := range map[string]struct {
		sent    []datagram
		options []string
		want    string
	}{
		"leg first":             {[]datagram{bind, initial, short, bind, noise}, nil, "LETHE QUIC QUIC LETHE UDP"},
		"QUIC first, decode as": {[]datagram{initial, bind, short}, decodeAs, "QUIC LETHE QUIC"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, row := range dissect(t, c.sent, c.options, "_ws.col.Protocol") {
				got = append(got, row[0])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("shown as %v, want %s", got, c.want)
			}
		})
	}
}
