package demo

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/lethe-relay/lethe/tunnel/service"
)

const (
	pageTitle = "Lethe demo router"

	maxData      = 4 << 30 // bytes of one transfer: more is a slip of the keyboard
	headerWait   = 10 * time.Second
	shutdownWait = 2 * time.Second // the tunnel is gone by then, so requests end soon
)

//go:embed site
var site embed.FS

// page is the router's admin page and its server.
type page struct {
	// static
	secret   string
	status   service.StatusConfig
	template *template.Template
	listener net.Listener

	written search // looks at all that the server writes
}

// newPage opens the page's port. leases is a leases file of dnsmasq.
func newPage(version, leases string) (*page, error) {
	p := &page{
		secret: "secret-" + rand.Text(),
		status: service.StatusConfig{LeasesFile: leases, Services: []string{serviceName}, Version: version},
	}
	p.written.secrets = p.secrets()
	var err error
	if p.template, err = template.ParseFS(site, "site/page.html"); err != nil {
		return nil, err
	}
	p.listener, err = net.Listen("tcp", loopback().String())
	return p, err
}

// secrets are what must not be read on the wire.
func (p *page) secrets() [][]byte { return [][]byte{[]byte(p.secret), []byte(pageTitle)} }

// serve serves the page until ctx ends.
func (p *page) serve(ctx context.Context, log *slog.Logger) error {
	server := &http.Server{
		Handler:           p.routes(),
		ReadHeaderTimeout: headerWait,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.Background(), shutdownWait)
		defer cancel()
		if server.Shutdown(patience) != nil {
			server.Close()
		}
	})
	err := server.Serve(searchedListener{p.listener, &p.written})
	if stop() { // the server failed by itself
		return err
	}
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (p *page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	for _, name := range []string{"style.css", "page.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, site, "site/"+name)
		})
	}
	mux.HandleFunc("GET /status.json", p.statusJSON)
	mux.HandleFunc("GET /data", p.data)
	mux.HandleFunc("POST /sink", p.sink)
	return mux
}

func (p *page) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:; frame-ancestors 'none'")
	p.template.Execute(w, map[string]string{"Title": pageTitle, "Secret": p.secret})
}

func (p *page) statusJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(service.CollectStatus(p.status, time.Now()))
}

// data answers with as many bytes as are asked for, and their digest in the header.
func (p *page) data(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.ParseInt(r.FormValue("bytes"), 10, 64)
	if err != nil || size < 0 || size > maxData {
		http.Error(w, fmt.Sprintf("say how many with ?bytes=N, N from 0 to %d", int64(maxData)), http.StatusBadRequest)
		return
	}
	digest, _, err := digestOf(newContent(p.secret, size))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Digest", digest)
	w.Header().Set("Cache-Control", "no-store")
	io.CopyBuffer(onlyWriter{w}, newContent(p.secret, size), make([]byte, chunkBytes))
}

// sink reads what is sent, compares its digest with the header's, and answers
// with its own.
func (p *page) sink(w http.ResponseWriter, r *http.Request) {
	digest, n, err := digestOf(http.MaxBytesReader(w, r.Body, maxData))
	if err != nil {
		http.Error(w, "the upload broke off", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Digest", digest)
	if digest != r.Header.Get("Content-Digest") {
		http.Error(w, "what arrived has another digest than the header Content-Digest says", http.StatusUnprocessableEntity)
		return
	}
	fmt.Fprintf(w, "%d bytes arrived as they were sent\n", n)
}

// onlyWriter has io.CopyBuffer use the buffer given to it, not an
// [io.ReaderFrom] with a smaller one.
type onlyWriter struct{ io.Writer }

// writeLeases writes a leases file with made-up machines.
func writeLeases(path string, now time.Time) error {
	var lines []byte
	for i, name := range []string{"demo-laptop", "demo-phone", "demo-tv", "demo-printer", "demo-heating"} {
		lines = fmt.Appendf(lines, "%d 02:00:00:00:00:%02x 192.168.1.%d %s *\n",
			now.Add(time.Duration(i+1)*2*time.Hour).Unix(), i+1, 101+i, name)
	}
	return os.WriteFile(path, lines, 0o600)
}
