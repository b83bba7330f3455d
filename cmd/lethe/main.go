// Command lethe reaches paired home routers from anywhere.
package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/environment"
)

func main() { os.Exit(cli.Run(command(), cli.TunnelCode)) }

// options are the flags that all commands have.
type options struct {
	dir                   string
	ssid, bssid, location string // what to show of the surroundings; see package environment
}

// open opens the device's folder.
func (o *options) open() (*device.Store, error) {
	here, err := o.environment()
	if err != nil {
		return nil, &cli.UsageError{Err: err}
	}
	if o.dir == "" {
		return nil, errors.New("there is no home directory to keep keys in: say where with --dir")
	}
	store, err := device.Open(o.dir)
	if err != nil {
		return nil, err
	}
	store.Environment = here
	return store, nil
}

// environment is what tunnels show: what the flags give, and else what this
// machine knows.
func (o *options) environment() (here environment.Laptop, err error) {
	if here.WiFi, err = environment.ParseWiFi(o.ssid, o.bssid); err != nil {
		return here, err
	}
	here.Place, err = environment.ParseLocation(o.location)
	return here, err
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
	flags := root.PersistentFlags()
	flags.StringVar(&o.dir, "dir", defaultDir(), "folder of this device's key and routers")
	flags.StringVar(&o.ssid, "wifi-ssid", "", "name of the Wi-Fi to show, or none; default: what this machine is connected to")
	flags.StringVar(&o.bssid, "wifi-bssid", "", "address of its access point, as aa:bb:cc:dd:ee:ff")
	flags.StringVar(&o.location, "location", "", "place to show, as LAT,LON in degrees, or none; default: none")
	root.MarkPersistentFlagDirname("dir")
	addGroup(root, "Use a router:", pairCommand(o), routersCommand(o), statusCommand(o), forwardCommand(o), ncCommand(o), unpairCommand(o))
	addGroup(root, "Surroundings and account:", envCommand(o), confirmCommand(o), loginCommand(o), logoutCommand(o))
	addGroup(root, "Other people and devices:", devicesCommand(o), revokeCommand(o), waitingCommand(o), approveCommand(o),
		shareCommand(o), sharesCommand(o), unshareCommand(o))
	addGroup(root, "Your data:", exportCommand(o), forgetCommand(o))
	return root
}

// addGroup adds commands below a heading of the help text.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
		root.AddCommand(c)
	}
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

// router opens the folder and finds the router of this name.
func (o *options) router(name string) (*device.Store, *device.Router, error) {
	store, err := o.open()
	if err != nil {
		return nil, nil, err
	}
	router, err := store.Router(name)
	return store, router, err
}

// link makes a link to the router of this name. The caller closes it.
func (o *options) link(name string) (*device.Link, error) {
	store, router, err := o.router(name)
	if err != nil {
		return nil, err
	}
	return store.Link(router), nil
}
