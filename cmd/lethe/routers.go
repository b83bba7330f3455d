package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
)

// routerInfo is a paired router in --json. It holds no secret.
type routerInfo struct {
	Name     string        `json:"name"`
	Router   auth.RouterID `json:"router"`
	Relay    string        `json:"relay"`
	PairedAt time.Time     `json:"paired_at"`
	Role     auth.Role     `json:"role"`
	Services []string      `json:"services"`
	Expires  time.Time     `json:"grant_expires"`
}

func routerJSON(r *device.Router) routerInfo {
	info := routerInfo{Name: r.Name, Router: r.ID, Relay: r.Relay.Host, PairedAt: r.PairedAt}
	if g, err := auth.ParseGrant(r.Grant); err == nil {
		info.Role, info.Services, info.Expires = g.Grant.Role, g.Grant.Services, g.Grant.NotAfter
	}
	return info
}

func routersCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "routers",
		Short:   "List the routers that this device is paired with",
		Example: "  lethe routers\n  lethe routers --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := o.open()
			if err != nil {
				return err
			}
			routers, damaged := store.Routers()
			if len(routers) == 0 && damaged != nil {
				return damaged
			}
			infos := make([]routerInfo, 0, len(routers))
			for _, r := range routers {
				infos = append(infos, routerJSON(r))
			}
			if asJSON {
				err = cli.PrintJSON(cmd, infos)
			} else {
				err = printRouters(cmd, infos)
			}
			return errors.Join(err, damaged)
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func printRouters(cmd *cobra.Command, infos []routerInfo) error {
	if len(infos) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "no router is paired yet; 'lethe pair URI' pairs one")
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROUTER\tRELAY\tROLE\tPAIRED\tGRANT UNTIL")
	for _, i := range infos {
		fmt.Fprintf(w, "%s\t%s…\t%s\t%s\t%s\t%s\n", i.Name, i.Router.Short(), i.Relay, i.Role,
			i.PairedAt.Local().Format(time.DateOnly), i.Expires.Local().Format(time.DateOnly))
	}
	return w.Flush()
}
