package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
)

func logoutCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "logout ROUTER",
		Short: "Forget the login to a router's relay",
		Long: `Forget the login to the account system of a router's relay, on this device. It has been
shared by all routers of that relay.`,
		Example:           "  lethe logout home",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, router, err := o.router(args[0])
			if err != nil {
				return err
			}
			_, had, err := store.Login(router.Relay)
			if err != nil {
				return err
			}
			if err := store.DropLogin(router.Relay); err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, struct {
					Relay     string `json:"relay"`
					LoggedOut bool   `json:"logged_out"` // false: there was no login
				}{router.Relay.Host, had})
			}
			if !had {
				fmt.Fprintln(cmd.ErrOrStderr(), "there was no login")
				return nil
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "logged out")
			return err
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
