package account

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/internal/oidctest"
	"github.com/lethe-relay/lethe/internal/telemetry"
)

// A gate stands before a provider, counts what it is asked, and answers itself
// while it is told to.
type gate struct {
	asked   map[string]*atomic.Int32 // by path
	instead atomic.Pointer[http.HandlerFunc]
	behind  http.Handler
}

const (
	metadataPath = "/.well-known/openid-configuration"
	keysPath     = "/keys"
)

func newGate(behind http.Handler) *gate {
	return &gate{behind: behind, asked: map[string]*atomic.Int32{metadataPath: new(atomic.Int32), keysPath: new(atomic.Int32)}}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.asked[r.URL.Path].Add(1)
	if f := g.instead.Load(); f != nil {
		(*f)(w, r)
		return
	}
	g.behind.ServeHTTP(w, r)
}

// gated is offline with a gate.
func gated(t *testing.T) (*gate, *oidctest.Provider, *Verifier) {
	t.Helper()
	var g *gate
	p, v := offline(t, func(p *oidctest.Provider) http.Handler {
		g = newGate(p)
		return g
	})
	return g, p, v
}

func (g *gate) wantAsked(t *testing.T, metadata, keys int32) {
	t.Helper()
	if m, k := g.asked[metadataPath].Load(), g.asked[keysPath].Load(); m != metadata || k != keys {
		t.Errorf("metadata was asked for %d times and keys %d times; want %d and %d", m, k, metadata, keys)
	}
}

func down(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) }

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestIssuerDownAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		g.wantAsked(t, 0, 0)
		token := p.Key().Sign(t, p.Claims("alice", nonce))
		g.instead.Store(new(http.HandlerFunc(down)))
		want(t, v, token, ErrUnavailable, "not an OpenID issuer's")
		g.instead.Store(nil)
		time.Sleep(retryPause - 1)
		want(t, v, token, ErrUnavailable, "")
		g.wantAsked(t, 1, 0)
		time.Sleep(time.Nanosecond)
		want(t, v, token, nil, "")
		g.wantAsked(t, 2, 1)
	})
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	p, _ := offline(t, itself)
	v := newVerifier(t, "http://"+listener.Addr().String())
	want(t, v, p.Key().Sign(t, p.Claims("alice", nonce)), ErrUnavailable, "connection refused")
}

func TestKeysAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		for range 3 {
			want(t, v, p.Key().Sign(t, p.Claims("alice", nonce)), nil, "")
			time.Sleep(time.Hour / 4)
		}
		g.wantAsked(t, 1, 1)
	})
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		old := p.Key()
		want(t, v, old.Sign(t, p.Claims("alice", nonce)), nil, "")
		second, err := oidctest.NewES256("second")
		if err != nil {
			t.Fatal(err)
		}
		p.Rotate(second)
		time.Sleep(retryPause)
		want(t, v, second.Sign(t, p.Claims("alice", nonce)), nil, "")
		time.Sleep(retryPause)
		want(t, v, old.Sign(t, p.Claims("alice", nonce)), ErrToken, "none of the issuer's keys")
		g.wantAsked(t, 1, 3)
	})
}

// TestWithdrawnKey: within a day a relay notices that a key is not the issuer's any more.
func TestWithdrawnKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		old := p.Key()
		token := old.Sign(t, lasting(p))
		want(t, v, token, nil, "")
		second, err := oidctest.NewES256("second")
		if err != nil {
			t.Fatal(err)
		}
		p.Rotate(second)
		time.Sleep(askAgain - time.Minute)
		want(t, v, token, nil, "")
		g.wantAsked(t, 1, 1)
		time.Sleep(time.Minute)
		want(t, v, token, ErrToken, "none of the issuer's keys")
		want(t, v, second.Sign(t, lasting(p)), nil, "")
		g.wantAsked(t, 2, 3)
	})
}

// lasting are the claims of a token that is good for longer than any keys.
func lasting(p *oidctest.Provider) oidctest.Claims {
	c := p.Claims("alice", nonce)
	c["exp"] = time.Now().Add(2 * keysLast).Unix()
	return c
}

// TestKeysMove: within a day a relay notices that the keys are elsewhere.
func TestKeysMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		want(t, v, p.Key().Sign(t, lasting(p)), nil, "")
		second, err := oidctest.NewES256("second")
		if err != nil {
			t.Fatal(err)
		}
		g.asked["/moved"] = new(atomic.Int32)
		g.instead.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case metadataPath:
				fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, p.Issuer(), p.Issuer()+"/moved")
			case "/moved":
				r.URL.Path = keysPath
				p.ServeHTTP(w, r)
			default:
				down(w, r)
			}
		})))
		p.Rotate(second)
		time.Sleep(askAgain)
		want(t, v, second.Sign(t, lasting(p)), nil, "")
		if n := g.asked["/moved"].Load(); n != 1 {
			t.Errorf("the new place was asked %d times", n)
		}
	})
}

// TestOldKeys: when the issuer does not answer after a day, its keys are good for two more, and not for ever.
func TestOldKeys(t *testing.T) {
	for name, c := range map[string]struct {
		path    string // that fails; empty: both
		failing http.HandlerFunc
		waits   time.Duration // of the first token
	}{
		"down":          {"", down, 0},
		"no keys":       {keysPath, down, 0},
		"silent":        {"", hang, requestTimeout},
		"a silent keys": {keysPath, hang, requestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, p, v := gated(t)
				token := p.Key().Sign(t, lasting(p))
				want(t, v, token, nil, "")
				got := time.Now()
				g.instead.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.path != "" && c.path != r.URL.Path {
						p.ServeHTTP(w, r)
						return
					}
					c.failing(w, r)
				})))
				time.Sleep(askAgain)
				ctx, cancel := context.WithTimeout(t.Context(), requestTimeout/2)
				defer cancel()
				began := time.Now()
				wantWithin(t, ctx, v, token, nil, "") // who can't wait for the issuer
				want(t, v, token, nil, "")
				if waited := time.Since(began); waited != c.waits {
					t.Errorf("tokens waited %v, want %v", waited, c.waits)
				}
				for range 10 {
					want(t, v, token, nil, "")
				}
				time.Sleep(2 * retryPause)
				want(t, v, token, nil, "")
				if n := g.asked[metadataPath].Load(); n != 2 {
					t.Errorf("metadata was asked for %d times, want 2", n)
				}
				time.Sleep(keysLast - time.Since(got) - 2*refreshPause)
				want(t, v, token, nil, "")
				time.Sleep(keysLast - time.Since(got))
				want(t, v, token, ErrUnavailable, "")
				g.instead.Store(nil)
				time.Sleep(retryPause)
				want(t, v, token, nil, "")
			})
		})
	}
}

// TestBadTokensDoNotReachTheIssuer: a flood of tokens of unknown keys makes one request in a while.
func TestBadTokensDoNotReachTheIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		good := p.Key().Sign(t, p.Claims("alice", nonce))
		want(t, v, good, nil, "")
		time.Sleep(retryPause)
		for i := range 100 {
			stranger, err := oidctest.NewES256(fmt.Sprint(i))
			if err != nil {
				t.Fatal(err)
			}
			sentinel, why := ErrUnavailable, "asked for its keys a moment ago"
			if i == 0 {
				sentinel, why = ErrToken, "none of the issuer's keys"
			}
			want(t, v, stranger.Sign(t, p.Claims("alice", nonce)), sentinel, why)
		}
		want(t, v, good, nil, "") // nobody else suffers
		g.wantAsked(t, 1, 2)
	})
}

// TestOneDiscovery: many tokens wait for the same answer.
func TestOneDiscovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		open := make(chan struct{})
		g.instead.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-open
			p.ServeHTTP(w, r)
		})))
		token := p.Key().Sign(t, p.Claims("alice", nonce))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { want(t, v, token, nil, "") })
		}
		synctest.Wait()
		g.wantAsked(t, 1, 0)
		close(open)
		wg.Wait()
		if n := g.asked[metadataPath].Load(); n != 1 {
			t.Errorf("metadata was asked for %d times", n)
		}
	})
}

// TestSlowIssuer: a caller waits as long as it wants, and the relay no longer than requestTimeout.
func TestSlowIssuer(t *testing.T) {
	for name, slowKeys := range map[string]bool{"metadata": false, "keys": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, p, v := gated(t)
				g.instead.Store(new(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if slowKeys && r.URL.Path == metadataPath {
						p.ServeHTTP(w, r)
						return
					}
					hang(w, r)
				})))
				token, begun := p.Key().Sign(t, p.Claims("alice", nonce)), time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				wantWithin(t, ctx, v, token, ErrUnavailable, "in time")
				if waited := time.Since(begun); waited != time.Second {
					t.Errorf("a caller that had a second waited %v", waited)
				}
				want(t, v, token, ErrUnavailable, "in time")
				if waited := time.Since(begun); waited != requestTimeout {
					t.Errorf("the request took %v", waited)
				}
				g.instead.Store(nil)
				time.Sleep(retryPause)
				want(t, v, token, nil, "")
			})
		})
	}
}

// TestBadAnswers: none of them makes a token good, bad, or the relay's memory full.
func TestBadAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(good, elsewhere http.Handler) http.HandlerFunc
		why    string
	}{
		"too long": {func(good, _ http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				good.ServeHTTP(w, r)
				fmt.Fprint(w, strings.Repeat(" ", issuerhttp.MaxAnswer))
			}
		}, "too long"},
		"no JSON": {func(_, _ http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }
		}, "not an OpenID issuer's"},
		"not found":       {func(_, _ http.Handler) http.HandlerFunc { return http.NotFound }, "not an OpenID issuer's"},
		"on another host": {func(_, elsewhere http.Handler) http.HandlerFunc { return elsewhere.ServeHTTP }, "redirects"},
		"a circle": {func(_, _ http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }
		}, "redirects"},
		"cut off": {func(_, _ http.Handler) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, "not an OpenID issuer's"},
	} {
		for _, path := range []string{metadataPath, keysPath} {
			t.Run(name+path, func(t *testing.T) {
				server := httptest.NewUnstartedServer(nil)
				defer server.Close()
				p, err := oidctest.New("http://"+server.Listener.Addr().String(), client)
				if err != nil {
					t.Fatal(err)
				}
				other := httptest.NewServer(p)
				defer other.Close()
				mux := http.NewServeMux()
				mux.Handle("/", p)
				mux.Handle(path, c.answer(p, http.RedirectHandler(other.URL+path, http.StatusFound)))
				server.Config.Handler = mux
				server.Start()
				want(t, newVerifier(t, p.Issuer()), p.Key().Sign(t, p.Claims("alice", nonce)), ErrUnavailable, c.why)
			})
		}
	}
}

// TestRedirect: an issuer may move things about on its own host.
func TestRedirect(t *testing.T) {
	p, v := offline(t, func(p *oidctest.Provider) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", p)
		mux.Handle(keysPath, http.RedirectHandler("/newer", http.StatusFound))
		mux.HandleFunc("/newer", func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = keysPath
			p.ServeHTTP(w, r)
		})
		return mux
	})
	want(t, v, p.Key().Sign(t, p.Claims("alice", nonce)), nil, "")
}

// TestBadMetadata: the keys of another issuer are not ours, nor those that come over http or from nowhere.
func TestBadMetadata(t *testing.T) {
	for name, metadata := range map[string]string{
		"another issuer's": `{"issuer":"https://another.example","jwks_uri":"https://login.example/keys"}`,
		"keys over http":   `{"issuer":"https://login.example","jwks_uri":"http://login.example/keys"}`,
		"keys in a file":   `{"issuer":"https://login.example","jwks_uri":"file:///etc/keys"}`,
	} {
		t.Run(name, func(t *testing.T) {
			p, v := offline(t, func(p *oidctest.Provider) http.Handler {
				mux := http.NewServeMux()
				mux.HandleFunc(metadataPath, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, metadata) })
				mux.Handle("/", p)
				return mux
			})
			want(t, v, p.Key().Sign(t, p.Claims("alice", nonce)), ErrUnavailable, "")
		})
	}
}

// TestMetadataWithoutKeys: it is asked for again, as if there had been none.
func TestMetadataWithoutKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, v := gated(t)
		g.instead.Store(new(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"issuer":%q}`, p.Issuer())
		})))
		token := p.Key().Sign(t, p.Claims("alice", nonce))
		want(t, v, token, ErrUnavailable, "not an OpenID issuer's")
		g.instead.Store(nil)
		time.Sleep(retryPause)
		want(t, v, token, nil, "")
	})
}

// TestLog: it says that the issuer is down and up, each once, and not where it is.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g, p, v := gated(t)
		v.log = telemetry.New(slog.New(slog.NewTextHandler(&log, nil)))
		g.instead.Store(new(http.HandlerFunc(down)))
		token := p.Key().Sign(t, p.Claims("alice", nonce))
		for range 3 {
			want(t, v, token, ErrUnavailable, "")
		}
		g.instead.Store(nil)
		time.Sleep(retryPause)
		for range 3 {
			want(t, v, token, nil, "")
		}
		text := log.String()
		if strings.Count(text, "level=WARN") != 1 || strings.Count(text, "level=INFO") != 1 || strings.Contains(text, "example") {
			t.Error(text)
		}
	})
}
