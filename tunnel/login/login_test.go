package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/internal/oidctest"
)

func TestMain(m *testing.M) {
	if exit, child := oidctest.Main(os.Args[1:]); child {
		os.Exit(exit)
	}
	goleak.VerifyTestMain(m)
}

func config(issuer string) Config {
	return Config{Issuer: issuer, ClientID: "lethe", Nonce: "the nonce of this device", Local: true}
}

// approve is a person with a browser, as what is shown to it.
func approve(t *testing.T) func(Prompt) {
	return func(p Prompt) {
		if err := oidctest.Approve(t.Context(), p.URI, p.UserCode, "alice"); err != nil {
			t.Error(err)
		}
	}
}

func notAsked(t *testing.T) func(Prompt) {
	return func(p Prompt) { t.Errorf("a person is asked to go to %q", p.URI) }
}

func TestLogin(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (issuer string){
		"in this process": func(t *testing.T) string { return oidctest.Start(t, "lethe").Issuer() },
		"in its own":      func(t *testing.T) string { return oidctest.StartProcess(t, "lethe") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := start(t)
			shown := 0
			token, err := Login(t.Context(), config(issuer), func(p Prompt) {
				shown++
				if p.URI != issuer+"/device" || p.CompleteURI != p.URI+"?user_code="+p.UserCode || time.Until(p.Expires) <= 0 {
					t.Errorf("%+v", p)
				}
				approve(t)(p)
			})
			if err != nil || shown != 1 || strings.Count(token.IDToken, ".") != 2 || time.Until(token.Expires) <= 0 {
				t.Errorf("%+v, %v, shown %d times", token, err, shown)
			}
		})
	}
}

func TestNoToken(t *testing.T) {
	for name, c := range map[string]struct {
		show func(*testing.T, *oidctest.Provider) func(Prompt)
		want error
	}{
		"denied": {func(t *testing.T, _ *oidctest.Provider) func(Prompt) {
			return func(p Prompt) {
				if err := oidctest.Deny(t.Context(), p.URI, p.UserCode); err != nil {
					t.Error(err)
				}
			}
		}, ErrDenied},
		"expired": {func(_ *testing.T, p *oidctest.Provider) func(Prompt) {
			return func(Prompt) { p.Expire() }
		}, ErrExpired},
		"without the nonce": {func(t *testing.T, p *oidctest.Provider) func(Prompt) {
			p.ForgetNonces()
			return approve(t)
		}, ErrNoNonce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := oidctest.Start(t, "lethe")
			if token, err := Login(t.Context(), config(p.Issuer()), c.show(t, p)); !errors.Is(err, c.want) || token != (Token{}) {
				t.Errorf("%+v, %v", token, err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	p := oidctest.Start(t, "lethe")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Login(ctx, config(p.Issuer()), func(Prompt) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestSilentIssuer: an issuer that does not answer a step is given up with ctx.
func TestSilentIssuer(t *testing.T) {
	for _, silent := range []string{"/.well-known/openid-configuration", "/device_authorization", "/oauth/token", "/keys"} {
		t.Run(silent, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			issuer := standIn(t, func(p *oidctest.Provider) http.Handler {
				return instead(p, silent, func(_ http.ResponseWriter, r *http.Request) {
					r.ParseForm() // to its end, or a cancelled request would not be noticed
					cancel()
					<-r.Context().Done()
				})
			})
			begun := time.Now()
			if _, err := Login(ctx, config(issuer), approve(t)); !errors.Is(err, context.Canceled) || time.Since(begun) >= requestTimeout {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		})
	}
}

// standIn serves a handler made from a provider at the provider's own address.
func standIn(t *testing.T, handler func(*oidctest.Provider) http.Handler) (issuer string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	p, err := oidctest.New("http://"+server.Listener.Addr().String(), "lethe")
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler(p)
	server.Start()
	return p.Issuer()
}

func instead(p *oidctest.Provider, path string, answer http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.Handle(path, answer)
	return mux
}

// TestBadIssuer: what is wrong before a person is asked.
func TestBadIssuer(t *testing.T) {
	none, another := config(oidctest.Start(t, "lethe").Issuer()), config(oidctest.Start(t, "lethe").Issuer())
	none.Nonce, another.ClientID = "", "another"
	nowhere := httptest.NewServer(nil)
	nowhere.Close()
	answer := func(path string, status int, body string) Config {
		return config(standIn(t, func(p *oidctest.Provider) http.Handler {
			return instead(p, path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				fmt.Fprint(w, strings.ReplaceAll(body, "ISSUER", p.Issuer()))
			})
		}))
	}
	moved := config(standIn(t, func(p *oidctest.Provider) http.Handler {
		elsewhere := httptest.NewServer(p)
		t.Cleanup(elsewhere.Close)
		return http.RedirectHandler(elsewhere.URL+"/.well-known/openid-configuration", http.StatusFound)
	}))
	const metadata, device = "/.well-known/openid-configuration", "/device_authorization"
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"no nonce":          {none, "no nonce"},
		"unknown client":    {another, "refused the login"},
		"http":              {config("http://login.example.org"), "must be an https"},
		"no URL":            {config("login.example.org"), "must be an https"},
		"nobody there":      {config(nowhere.URL), "connection refused"},
		"moved away":        {moved, "redirects"},
		"not an issuer":     {answer(metadata, 404, ""), "not an OpenID issuer's"},
		"another issuer":    {answer(metadata, 200, `{"issuer":"https://login.example.org"}`), "is another's"},
		"no device flow":    {answer(metadata, 200, `{"issuer":"ISSUER"}`), ErrNoDeviceFlow.Error()},
		"device flow, http": {answer(metadata, 200, `{"issuer":"ISSUER","device_authorization_endpoint":"http://login.example.org"}`), "must be an https"},
		"much too long":     {answer(metadata, 200, `{"issuer":"ISSUER","device_authorization_endpoint":"ISSUER"}`+strings.Repeat(" ", issuerhttp.MaxAnswer)), "too long"},
		"refused":           {answer(device, 400, `{"error":"unauthorized_client","error_description":"secret"}`), `("unauthorized_client")`},
		"no reason":         {answer(device, 500, "secret"), "HTTP status 500"},
		"no code":           {answer(device, 200, `{"verification_uri":"ISSUER"}`), errBadPrompt.Error()},
		"code of controls":  {answer(device, 200, `{"verification_uri":"ISSUER","user_code":"\u001b[2J"}`), errBadPrompt.Error()},
		"page over http":    {answer(device, 200, `{"verification_uri":"http://login.example.org","user_code":"A"}`), errBadPrompt.Error()},
		"no page":           {answer(device, 200, `{"user_code":"A"}`), errBadPrompt.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := Login(t.Context(), c.cfg, notAsked(t))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || token != (Token{}) {
				t.Errorf("%+v, %v; want %s", token, err, c.want)
			}
		})
	}
}

// TestCheck: tokens that a relay would refuse are refused here.
func TestCheck(t *testing.T) {
	p := oidctest.Start(t, "lethe")
	stranger, err := oidctest.NewES256(p.Key().ID())
	if err != nil {
		t.Fatal(err)
	}
	ctx := oidc.ClientContext(t.Context(), newClient(t.Context(), true))
	provider, err := discover(ctx, p.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		want  error // nil for a good token
	}{
		"good":             {p.Key().Sign(t, claims(p, "", nil)), nil},
		"no nonce":         {p.Key().Sign(t, claims(p, "nonce", "")), ErrNoNonce},
		"another nonce":    {p.Key().Sign(t, claims(p, "nonce", "another")), errBadToken},
		"another audience": {p.Key().Sign(t, claims(p, "aud", "another")), errBadToken},
		"another issuer":   {p.Key().Sign(t, claims(p, "iss", "https://another.example")), errBadToken},
		"expired":          {p.Key().Sign(t, claims(p, "exp", 1)), errBadToken},
		"a stranger's":     {stranger.Sign(t, claims(p, "", nil)), errBadToken},
		"unsigned":         {oidctest.Unsigned(t, claims(p, "", nil)), errBadToken},
		"symmetric":        {oidctest.HS256(t, p.Key().ID(), []byte("a secret of at least 32 bytes, or so"), claims(p, "", nil)), errBadToken},
		"no token":         {"", errBadToken},
	} {
		token, err := check(ctx, provider, config(p.Issuer()), c.token)
		if !errors.Is(err, c.want) || err != nil && token != (Token{}) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestNoIDToken: a login that succeeds, with what is no account token.
func TestNoIDToken(t *testing.T) {
	issuer := standIn(t, func(p *oidctest.Provider) http.Handler {
		return instead(p, "/oauth/token", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"a","token_type":"Bearer","id_token":1}`)
		})
	})
	if _, err := Login(t.Context(), config(issuer), func(Prompt) {}); !errors.Is(err, errNoIDToken) {
		t.Error(err)
	}
}

// claims returns a good token's, with one of them changed.
func claims(p *oidctest.Provider, claim string, value any) oidctest.Claims {
	c := p.Claims("alice", config("").Nonce)
	if claim != "" {
		c[claim] = value
	}
	return c
}

// TestBounds: whatever an issuer says of times, oauth2 gets what it can work with.
func TestBounds(t *testing.T) {
	now := time.Now()
	for interval, want := range map[int64]int64{0: 0, 1: 1, 5: 5, -1: 1, 1 << 62: maxInterval, -1 << 63: 1} {
		begun := oauth2.DeviceAuthResponse{UserCode: "A", VerificationURI: "https://login.example", Interval: interval}
		if err := bound(&begun, now, false); err != nil || begun.Interval != want || begun.Expiry != now.Add(maxLifetime) {
			t.Errorf("interval %d becomes %d, %v; expires %v", interval, begun.Interval, err, begun.Expiry)
		}
	}
	begun := oauth2.DeviceAuthResponse{
		UserCode: "A", VerificationURI: "https://login.example", Expiry: now.Add(time.Minute), VerificationURIComplete: "javascript:alert(1)",
	}
	if err := bound(&begun, now, false); err != nil || begun.Expiry != now.Add(time.Minute) || begun.VerificationURIComplete != "" {
		t.Errorf("%+v, %v", begun, err)
	}
}

// TestLocal: an issuer is on this machine only if the caller says so, and then may lead to this machine.
func TestLocal(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	if _, err := Login(t.Context(), Config{Issuer: server.URL, ClientID: "lethe", Nonce: "a nonce"}, notAsked(t)); err == nil || !strings.Contains(err.Error(), issuerhttp.ErrInside.Error()) || asked {
		t.Errorf("%v; asked: %t", err, asked)
	}
	for issuer, want := range map[string]bool{
		"http://127.0.0.1:80": true, "http://localhost:8080/realms/a": true, "https://[::1]": true,
		"https://login.example.org": false, "https://127.0.0.1.example.org": false, "https://10.0.0.1": false, "://": false, "": false,
	} {
		if (Config{Issuer: issuer, Local: true}).local() != want || (Config{Issuer: issuer}).local() {
			t.Errorf("%s: not %t", issuer, want)
		}
		if !(Config{Issuer: issuer, Inside: true}).local() {
			t.Errorf("%s: a person has said that it is inside", issuer)
		}
	}
}

// TestLedInside: an issuer of the internet, which the relay has named, has nothing asked on this machine or its network.
func TestLedInside(t *testing.T) {
	asked := make(chan string, 64)
	tls := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer tls.Close()
	plain := httptest.NewServer(tls.Config.Handler)
	defer plain.Close()
	cfg := Config{Issuer: "https://login.example.org", ClientID: "lethe", Nonce: "a nonce", Local: true}
	ctx := oidc.ClientContext(t.Context(), newClient(t.Context(), cfg.local()))
	p, err := oidctest.New(cfg.Issuer, cfg.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{plain.URL + "/any?path=1", tls.URL + "/any", "https://192.168.0.1/any", "https://[fe80::1%25lo]/any"} {
		provider := (&oidc.ProviderConfig{IssuerURL: cfg.Issuer, DeviceAuthURL: url, TokenURL: url, JWKSURL: url}).NewProvider(ctx)
		if _, err := authorize(ctx, provider, cfg, notAsked(t)); err == nil || !strings.Contains(err.Error(), issuerhttp.ErrInside.Error()) {
			t.Errorf("%s for a code: %v", url, err)
		}
		token := oauth2.Config{ClientID: cfg.ClientID, Endpoint: provider.Endpoint()}
		if _, err := token.Exchange(ctx, "a code"); !errors.Is(err, issuerhttp.ErrInside) {
			t.Errorf("%s for a token: %v", url, err)
		}
		if _, err := check(ctx, provider, cfg, p.Key().Sign(t, p.Claims("alice", cfg.Nonce))); !errors.Is(err, errBadToken) {
			t.Errorf("%s for keys: %v", url, err)
		}
		begun := oauth2.DeviceAuthResponse{UserCode: "A", VerificationURI: url}
		if err := bound(&begun, time.Now(), cfg.local()); !errors.Is(err, errBadPrompt) {
			t.Errorf("%s is shown to a person: %v", url, err)
		}
	}
	select {
	case path := <-asked:
		t.Errorf("%s was asked for", path)
	default:
	}
}
