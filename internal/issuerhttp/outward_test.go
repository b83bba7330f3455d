package issuerhttp

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

// TestInside: what is not of the internet, in all its ways to be written.
func TestInside(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "0.0.0.0": true, "::": true,
		"10.1.2.3": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true, "::ffff:192.168.1.1": true,
		"169.254.169.254": true, "fe80::1": true, "fe80::1%eth0": true, "fd00::1": true, "fec0::1": true, "fec0::1%eth0": true,
		"100.64.0.1": true, "100.127.255.255": true, "255.255.255.255": true, "224.0.0.1": true, "ff02::1": true,
		"192.0.2.1": false, "172.32.0.1": false, "100.128.0.1": false, "8.8.8.8": false, "2606:4700::1111": false, "::ffff:8.8.8.8": false,
	} {
		if got := inside(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestOutside(t *testing.T) {
	for text, want := range map[string]error{
		"https://login.example.org": nil, "https://login.example.org:8443/a?b=c": nil, "https://192.0.2.1": nil, "https://[2606:4700::1111]": nil,
		"http://login.example.org": ErrInsecure, "ftp://login.example.org": ErrInsecure, "https:": ErrInsecure, "": ErrInsecure,
		"http://127.0.0.1/any?path=1": ErrInside, "https://localhost": ErrInside, "https://LocalHost.:1": ErrInside, "http://a.localhost": ErrInside,
		"https://127.0.0.1": ErrInside, "https://[::1]:1": ErrInside, "https://[::ffff:10.0.0.1]": ErrInside, "https://192.168.1.1": ErrInside,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Outside(u); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestOutwardDials: a name that stands for an address of this machine is refused when it is dialled.
func TestOutwardDials(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	direct := newOutward(http.ProxyFromEnvironment).direct
	for _, host := range []string{"localhost", "127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"} { // past the check of what is written
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+net.JoinHostPort(host, port), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := direct.RoundTrip(r); !errors.Is(err, ErrInside) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// TestOutwardProxy: this machine's proxy may be on this machine, and gets nothing that is inside.
func TestOutwardProxy(t *testing.T) {
	asked := make(chan string, 64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	out := newOutward(http.ProxyURL(proxy))
	for text, want := range map[string]string{"https://login.example.org": "CONNECT login.example.org:443", "https://127.0.0.1:1": "", "https://localhost": ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = out.RoundTrip(r)
		if want == "" && (!errors.Is(err, ErrInside) || len(asked) > 0) {
			t.Errorf("%s: %v, asked %d times", text, err, len(asked))
		}
		if want == "" {
			continue
		}
		if got := <-asked; got != want || err == nil {
			t.Errorf("%s: the proxy got %q, %v", text, got, err)
		}
	}
}
