package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
)

// DefaultBytes is how much Once moves each way unless told otherwise.
const DefaultBytes = 256 << 20

const maxPage = 1 << 20 // bytes

// Once fetches the page through the tunnel, moves size bytes each way, and
// ends. It fails when anything is not as it should be.
func Once(ctx context.Context, cfg Config, size int64) (*Summary, error) {
	began := time.Now()
	sum := &Summary{}
	s, err := open(ctx, cfg)
	if err == nil {
		err = s.because(s.once(sum, size))
	}
	if err = s.end(err); err != nil {
		return nil, err
	}
	sum.Seconds = time.Since(began).Seconds()
	return sum, nil
}

// once is Once on an open stage.
func (s *stage) once(sum *Summary, size int64) (err error) {
	if sum.Handshake, err = s.handshake(); err != nil {
		return err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	if sum.Page, err = s.fetchPage(client); err != nil {
		return fmt.Errorf("the page did not come through the tunnel: %w", err)
	}
	if sum.Download, err = s.download(client, size); err != nil {
		return fmt.Errorf("the download failed: %w", err)
	}
	if sum.Upload, err = s.upload(client, size); err != nil {
		return fmt.Errorf("the upload failed: %w", err)
	}
	sum.Relay = relayView(s.relay.Stats())
	sum.Search, err = s.searched(uint64(2 * size))
	return err
}

// handshake returns what the tunnel's ends have agreed on. It refuses less than
// what is promised.
func (s *stage) handshake() (h Handshake, err error) {
	t, err := s.link.Tunnel(s.ctx)
	if err != nil {
		return h, err
	}
	state := t.ConnectionState().TLS
	h = Handshake{
		Protocol:    state.NegotiatedProtocol,
		TLS:         tls.VersionName(state.Version),
		KeyExchange: state.CurveID.String(),
		Cipher:      tls.CipherSuiteName(state.CipherSuite),
	}
	if state.Version != tls.VersionTLS13 || state.CurveID != tls.X25519MLKEM768 {
		return h, fmt.Errorf("the tunnel agreed on %s with %s, not on TLS 1.3 with X25519MLKEM768: this build of Go or its GODEBUG setting turns them off", h.TLS, h.KeyExchange)
	}
	return h, nil
}

// newClient makes a client that uses no proxy, whatever the environment says.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ReadBufferSize: chunkBytes, WriteBufferSize: chunkBytes, DisableCompression: true,
	}}
}

// fetchPage gets the page and sees that it is the router's.
func (s *stage) fetchPage(client *http.Client) (p Page, err error) {
	began := time.Now()
	response, err := s.do(client, http.MethodGet, "", nil)
	if err != nil {
		return p, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return p, err
	}
	for _, secret := range s.page.secrets() {
		if !bytes.Contains(body, secret) {
			return p, fmt.Errorf("what came is not the router's page: %q is missing in it", secret)
		}
	}
	return Page{Title: pageTitle, Bytes: len(body), Seconds: time.Since(began).Seconds()}, nil
}

// download gets size bytes and compares their digest with the router's.
func (s *stage) download(client *http.Client, size int64) (t Transfer, err error) {
	defer s.cfg.Progress("downloading " + amount(uint64(size)))()
	response, err := s.do(client, http.MethodGet, fmt.Sprintf("data?bytes=%d", size), nil)
	if err != nil {
		return t, err
	}
	defer response.Body.Close()
	began := time.Now()
	digest, n, err := digestOf(response.Body)
	if err != nil {
		return t, err
	}
	t = newTransfer(n, time.Since(began))
	t.Digest = digest
	if want := response.Header.Get("Content-Digest"); digest != want || n != size {
		return t, fmt.Errorf("%d bytes arrived with the digest %s, but the router sent %d with %s", n, digest, size, want)
	}
	return t, nil
}

// upload sends size bytes and compares the digest with what the router got.
func (s *stage) upload(client *http.Client, size int64) (t Transfer, err error) {
	defer s.cfg.Progress("uploading " + amount(uint64(size)))()
	digest, _, err := digestOf(newContent(s.page.secret, size))
	if err != nil {
		return t, err
	}
	began := time.Now()
	response, err := s.do(client, http.MethodPost, "sink", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(newContent(s.page.secret, size)), size
		r.Header.Set("Content-Digest", digest)
	})
	if err != nil {
		return t, err
	}
	defer response.Body.Close()
	t = newTransfer(size, time.Since(began))
	t.Digest = digest
	if got := response.Header.Get("Content-Digest"); got != digest {
		return t, fmt.Errorf("the router got the digest %s for what was sent with %s", got, digest)
	}
	return t, nil
}

// do sends a request to the page, and refuses an answer that is not OK.
func (s *stage) do(client *http.Client, method, path string, prepare func(*http.Request)) (*http.Response, error) {
	request, err := http.NewRequestWithContext(s.ctx, method, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	if prepare != nil {
		prepare(request)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return nil, fmt.Errorf("the router answered %s: %s", response.Status, bytes.TrimSpace(why))
	}
	return response, nil
}

// searched returns what the searches have found, and refuses what they must not
// find. moved is how much has gone through the tunnel at least.
func (s *stage) searched(moved uint64) (Search, error) {
	onWire, plain := &s.wire.search, &s.page.written
	found := Search{
		WireBytes: onWire.bytes.Load(), WireFound: onWire.found.Load(), WireSample: fmt.Sprintf("%x", s.wire.traffic().sample),
		PlainBytes: plain.bytes.Load(), PlainFound: plain.found.Load(), PlainSample: s.page.secret,
	}
	switch {
	case found.WireFound > 0:
		return found, fmt.Errorf("the page's secret was found %d times in %s on the wire: the tunnel leaks plaintext; please report it as SECURITY.md says", found.WireFound, amount(found.WireBytes))
	case found.PlainFound == 0:
		return found, fmt.Errorf("the search does not find the page's secret in %s that the page's server wrote, so finding nothing on the wire proves nothing", amount(found.PlainBytes))
	case found.WireBytes < moved:
		return found, fmt.Errorf("only %s passed on the wire for %s that were moved, so finding nothing there proves nothing", amount(found.WireBytes), amount(moved))
	}
	return found, nil
}
