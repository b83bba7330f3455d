package conf

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden error texts in testdata")

// open is a configuration without secrets.
type open struct {
	Listen   netip.AddrPort
	Name     string
	Verbose  bool
	Workers  uint8
	Offset   int16
	Limits   limits
	Services []service
	Ignored  string `yaml:"-"`
}

type limits struct {
	Idle, Hard Duration
	Bytes      Bytes
}

func (l limits) Validate() error {
	if l.Hard != 0 && l.Idle > l.Hard {
		return errors.New("idle is longer than hard; make it shorter")
	}
	return nil
}

type service struct {
	Name   string
	Target string `yaml:"target"`
}

func (s service) Validate() error {
	if s.Target == "" {
		return KeyErrorf("target", "the service has none; write one such as tcp:127.0.0.1:80")
	}
	return nil
}

var errAnarchy = errors.New("a configuration can't be called anarchy")

func (o *open) Validate() error {
	if !o.Listen.IsValid() {
		return KeyErrorf("listen", "the key is missing; write an address such as 0.0.0.0:443")
	}
	if len(o.Services) == 2 && o.Services[0].Name == o.Services[1].Name {
		return KeyErrorf("services[1].name", "%q is taken by an earlier service; choose another", o.Services[1].Name)
	}
	if o.Name == "anarchy" {
		return errAnarchy
	}
	return nil
}

// secret is a configuration with secrets.
type secret struct {
	Relays []relay
}

type relay struct {
	URL   relayURL `conf:"secret"`
	Token string   `conf:"secret"`
	Port  uint16
}

type relayURL string

func (*relayURL) UnmarshalText([]byte) error { return errors.New("not a relay URL") }

func (r relay) Validate() error {
	if r.Port == 7 {
		return KeyErrorf("token", "the token does not fit port 7")
	}
	return nil
}

// TestBadFiles compares what is said about every bad file with the golden text beside it.
func TestBadFiles(t *testing.T) {
	each(t, "open", func(name string, data []byte) error { return Parse(name, data, new(open)) })
}

// TestSecretsStayHidden does the same for files that hold the secret "s3cr3t", which no error may show.
func TestSecretsStayHidden(t *testing.T) {
	each(t, "secret", func(name string, data []byte) error {
		err := Parse(name, data, new(secret))
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error shows the secret:\n%v", name, err)
		}
		return err
	})
}

func each(t *testing.T, dir string, parse func(string, []byte) error) {
	files, _ := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if len(files) < 10 {
		t.Fatalf("only %d bad files in testdata/%s", len(files), dir)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			err = parse("f.yaml", data)
			var typed *Error
			if !errors.As(err, &typed) {
				t.Fatalf("got %v, want an *Error", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".err", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestGoodFile(t *testing.T) {
	const text = "\ufeff# a comment\r\n" + `
listen: "[::1]:443"   # quotes are allowed
name: |
  two
  lines
verbose: true
workers: 0x10
offset: -7
limits: {idle: 90d, bytes: 64KiB}
services:
- name: http
  target: tcp:127.0.0.1:80
- {name: 'ssh', target: "unix:/run/sshd"}
`
	got := open{
		Limits:   limits{Idle: 1, Hard: Duration(100 * day)},
		Services: []service{{"default", "is replaced"}, {}, {}},
		Ignored:  "default",
	}
	if err := Parse("f.yaml", []byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := open{
		Listen: netip.MustParseAddrPort("[::1]:443"), Name: "two\nlines\n", Verbose: true, Workers: 16, Offset: -7,
		Limits:   limits{Idle: Duration(90 * day), Hard: Duration(100 * day), Bytes: 64 << 10},
		Services: []service{{"http", "tcp:127.0.0.1:80"}, {"ssh", "unix:/run/sshd"}},
		Ignored:  "default",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestEmptyFile keeps the defaults, and still asks Validate.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "---\n"} {
		kept := open{Listen: netip.MustParseAddrPort("[::1]:443"), Name: "default"}
		if err := Parse("f.yaml", []byte(text), &kept); err != nil || kept.Name != "default" {
			t.Errorf("%q: %v, name %q; want the defaults", text, err, kept.Name)
		}
		err := Parse("f.yaml", []byte(text), new(open))
		if err == nil || !strings.HasPrefix(err.Error(), "f.yaml: listen: the key is missing") {
			t.Errorf("%q: %v, want that listen is missing", text, err)
		}
	}
}

func TestErrorWrapsTheCause(t *testing.T) {
	err := Parse("f.yaml", []byte("listen: '[::1]:1'\nname: anarchy\n"), new(open))
	if !errors.Is(err, errAnarchy) {
		t.Errorf("%v does not wrap what Validate returned", err)
	}
}

func TestLargestFile(t *testing.T) {
	if err := Parse("f.yaml", bytes.Repeat([]byte("#"), MaxSize+1), new(open)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("huge file: %v", err)
	}
	text := "listen: '[::1]:443'\n"
	var got open
	if err := Parse("f.yaml", []byte(text+strings.Repeat("#", MaxSize-len(text))), &got); err != nil || got.Listen.Port() != 443 {
		t.Errorf("largest file: %v, %v", got, err)
	}
}

// TestUnsupportedField: the fault is the program's, and it says so.
func TestUnsupportedField(t *testing.T) {
	var into struct{ Ratio float64 }
	err := Parse("f.yaml", []byte("ratio: 1.5\n"), &into)
	if err == nil || !strings.Contains(err.Error(), "a fault of this program") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	seeds, _ := filepath.Glob(filepath.Join("testdata", "*", "*.yaml"))
	if len(seeds) == 0 {
		f.Fatal("no seeds in testdata")
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2<<10 { // the YAML parser needs quadratic time for nested brackets
			return
		}
		for _, err := range []error{Parse("f.yaml", data, new(open)), Parse("f.yaml", data, new(secret))} {
			var typed *Error
			if err != nil && !errors.As(err, &typed) {
				t.Errorf("error of type %T: %v", err, err)
			}
			if err != nil && strings.Count(err.Error(), "\n") > 2 {
				t.Errorf("an error of more than three lines:\n%v", err)
			}
		}
	})
}
