package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// exported is everything that is held about this device, wherever it is.
type exported struct {
	Device deviceExport    `json:"device"`
	Router json.RawMessage `json:"router"` // as the router says it
	Relay  tunnel.Held     `json:"relay"`
}

// deviceExport is what this device itself holds for one router. Secrets are
// named and not shown.
type deviceExport struct {
	Device   auth.DeviceID `json:"device"`
	RelayURL string        `json:"relay_url"` // with the pin
	routerInfo
	Serial   uint64         `json:"grant_serial"`
	Begins   time.Time      `json:"grant_begins"`
	Policy   string         `json:"policy,omitempty"`
	Accepted map[string]int `json:"accepted"` // how many values of each feature; the grant holds no more
	Login    *loginInfo     `json:"login,omitempty"`
	Secrets  []string       `json:"secrets_held"`
}

func exportCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "export ROUTER",
		Short: "Print all that is held about this device, as JSON",
		Long: `Print, as JSON, all that this device, the router and its relay hold about this device and
its account. The secrets that are held here are named and not shown.`,
		Example:           "  lethe export home >home.json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, router, err := o.router(args[0])
			if err != nil {
				return err
			}
			all, err := export(cmd, store, router)
			if err != nil {
				return err
			}
			return cli.PrintJSON(cmd, all)
		},
	}
}

func export(cmd *cobra.Command, store *device.Store, router *device.Router) (all exported, err error) {
	link := store.Link(router)
	defer link.Close()
	answer, err := ask(cmd.Context(), link, router.Name, service.NamePersonal, service.ManageRequest{Do: "export"})
	if err != nil {
		return all, err
	}
	if all.Router = answer.Export; len(all.Router) == 0 {
		return all, cli.ErrNoAnswer
	}
	done := cli.Progress("asking the relay")
	all.Relay, err = tunnel.Inspect(cmd.Context(), tunnel.RelayConfig{Identity: store.Identity(), Relay: router.Relay}, router.ID, false)
	done()
	if err != nil {
		return all, err
	}
	all.Device, err = exportDevice(store, router)
	return all, err
}

func exportDevice(store *device.Store, r *device.Router) (deviceExport, error) {
	signed, err := auth.ParseGrant(r.Grant)
	if err != nil {
		return deviceExport{}, err
	}
	e := deviceExport{
		Device: store.Identity().DeviceID(), RelayURL: r.Relay.Redacted(), routerInfo: routerJSON(r),
		Serial: signed.Grant.Serial, Begins: signed.Grant.NotBefore, Accepted: make(map[string]int),
		Secrets: []string{"device key", "pairing secret"},
	}
	if p := signed.Grant.Policy; p != nil {
		e.Policy = p.String()
	}
	for _, entry := range signed.Grant.Accepted.Entries() {
		e.Accepted[entry.Feature.String()]++
	}
	login, found, err := store.Login(r.Relay)
	if found {
		e.Login = &loginInfo{r.Relay.Host, login.Issuer, login.ClientID, login.Expires}
		e.Secrets = append(e.Secrets, "ID token")
	}
	return e, err
}
