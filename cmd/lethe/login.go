package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/issuerhttp"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/login"
)

// loginInfo is a login in --json. It holds no secret.
type loginInfo struct {
	Relay    string    `json:"relay"`
	Issuer   string    `json:"issuer"`
	ClientID string    `json:"client_id"`
	Expires  time.Time `json:"expires"`
}

func loginCommand(o *options) *cobra.Command {
	var asJSON, inside bool
	cmd := &cobra.Command{
		Use:   "login ROUTER",
		Short: "Log in to the account system of a router's relay",
		Long: `Log in to the account system of a router's relay. It shows a code and an address: open
that in any browser, type the code, and approve. The account then counts for all routers
of this relay, from this device only, until the login expires.`,
		Example:           "  lethe login home",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, router, err := o.router(args[0])
			if err != nil {
				return err
			}
			kept, err := logIn(cmd.Context(), cmd.ErrOrStderr(), store, router, inside)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, loginInfo{router.Relay.Host, kept.Issuer, kept.ClientID, kept.Expires})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "logged in at %s until %s\n", cli.Printable(kept.Issuer), kept.Expires.Local().Format(time.DateTime))
			return err
		},
	}
	cmd.Flags().BoolVar(&inside, "local-issuer", false, "the account system is on this machine or in its network")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// logIn asks the relay where to log in, does so, and stores the login.
func logIn(ctx context.Context, prompt io.Writer, store *device.Store, router *device.Router, inside bool) (device.Login, error) {
	done := cli.Progress("asking the relay")
	defer done()
	issuer, err := tunnel.AskIssuer(ctx, tunnel.RelayConfig{Identity: store.Identity(), Relay: router.Relay})
	done()
	if err != nil {
		return device.Login{}, err
	}
	fmt.Fprintf(prompt, "The relay has its accounts at %s\n", hostOf(issuer.URL))
	waited := func() {}
	token, err := login.Login(ctx, login.Config{
		Issuer: issuer.URL, ClientID: issuer.ClientID, Nonce: auth.AccountNonce(store.Identity().PublicKey()), Local: isLocal(router.Relay), Inside: inside,
	}, func(p login.Prompt) {
		showPrompt(prompt, p)
		waited = cli.Progress("waiting for the approval")
	})
	waited()
	if err != nil {
		return device.Login{}, err
	}
	kept := device.Login{Issuer: issuer.URL, ClientID: issuer.ClientID, IDToken: token.IDToken, Expires: token.Expires}
	return kept, store.KeepLogin(router.Relay, kept)
}

// hostOf is where a browser would go, whatever else the URL says.
func hostOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return "an address that is no URL"
	}
	return cli.Printable(u.Host)
}

// isLocal tells whether a relay is on this machine, as far as its URL says so.
func isLocal(relay auth.RelayURL) bool {
	host, _, err := net.SplitHostPort(relay.Host)
	return err == nil && issuerhttp.Loopback(host)
}

func showPrompt(w io.Writer, p login.Prompt) {
	if p.CompleteURI != "" {
		cli.PrintQR(w, p.CompleteURI)
	}
	fmt.Fprintf(w, "Open %s in a browser, until %s, and type this code: %s\n", p.URI, p.Expires.Local().Format(time.TimeOnly), p.UserCode)
}
