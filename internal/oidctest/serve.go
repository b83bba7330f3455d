package oidctest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Start runs a provider on a loopback port for the rest of the test.
func Start(t testing.TB, clientID string) *Provider {
	t.Helper()
	p, server, err := serve(clientID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return p
}

func serve(clientID string) (*Provider, *httptest.Server, error) {
	server := httptest.NewUnstartedServer(nil)
	p, err := New("http://"+server.Listener.Addr().String(), clientID)
	if err != nil {
		server.Listener.Close()
		return nil, nil, err
	}
	server.Config.Handler = p
	server.Start()
	return p, server, nil
}

// Approve does what a person does with a browser: it logs in as subject, and
// approves the login with this code. uri is what the device has shown.
func Approve(ctx context.Context, uri, userCode, subject string) error {
	return post(ctx, uri, url.Values{"user_code": {userCode}, "subject": {subject}})
}

// Deny denies the login with this code. uri is what the device has shown.
func Deny(ctx context.Context, uri, userCode string) error {
	return post(ctx, uri, url.Values{"user_code": {userCode}, "deny": {""}})
}

func post(ctx context.Context, uri string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Close = true
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider's page answers %s", resp.Status)
	}
	return nil
}
