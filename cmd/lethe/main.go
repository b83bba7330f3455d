// Command lethe reaches paired home routers from anywhere.
package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
)

func main() { os.Exit(cli.Run(command(), cli.TunnelCode)) }

// options are the flags that all commands have.
type options struct{ dir string }

// open opens the device's folder.
func (o *options) open() (*device.Store, error) {
	if o.dir == "" {
		return nil, errors.New("there is no home directory to keep keys in: say where with --dir")
	}
	return device.Open(o.dir)
}

func command() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "lethe",
		Short: "Reach your home router from anywhere",
		Long: `lethe reaches paired home routers from anywhere, through a relay that can't read
what passes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by relay or router, 4 relay or
router can't be reached.`,
		Example: `  lethe pair 'lethe://relay.example.org:443/pair?…' --name home
  lethe status home
  lethe forward home http --listen 127.0.0.1:8080
  ssh -o ProxyCommand='lethe nc home ssh' root@home`,
	}
	root.PersistentFlags().StringVar(&o.dir, "dir", defaultDir(), "folder of this device's key and routers")
	root.MarkPersistentFlagDirname("dir")
	root.AddCommand(pairCommand(o), routersCommand(o), statusCommand(o), forwardCommand(o), ncCommand(o), devicesCommand(o), revokeCommand(o), unpairCommand(o))
	return root
}

func defaultDir() string {
	base, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "lethe")
}

// completeRouter completes the name of a router as the first argument.
func (o *options) completeRouter(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	store, err := o.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	routers, _ := store.Routers() // damaged ones are for 'lethe routers' to report
	var names []string
	for _, r := range routers {
		names = append(names, r.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// link opens the folder and makes a link to the router of this name.
func (o *options) link(name string) (*device.Link, error) {
	store, err := o.open()
	if err != nil {
		return nil, err
	}
	router, err := store.Router(name)
	if err != nil {
		return nil, err
	}
	return store.Link(router), nil
}
