package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/proxy"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func forwardCommand(o *options) *cobra.Command {
	var listen []string
	cmd := &cobra.Command{
		Use:   "forward ROUTER SERVICE...",
		Short: "Open local ports that lead to services of a router",
		Long: `Open a local port for each service, and connect whoever connects there to the service
on the router. It prints a line that begins with "ready" when all ports are open, runs
until SIGINT or SIGTERM, and connects again by itself when the tunnel breaks.

The first --listen is for the first service, and so on; services without one get a free
port on 127.0.0.1.`,
		Example: `  lethe forward home http --listen 127.0.0.1:8080
  lethe forward home http ssh --listen 127.0.0.1:8080 --listen 127.0.0.1:2222`,
		Args: func(cmd *cobra.Command, args []string) error {
			if services := len(args) - 1; services > 0 && len(listen) > services {
				return fmt.Errorf("there are %d --listen for %d services: give at most one for each", len(listen), services)
			}
			return cobra.MinimumNArgs(2)(cmd, args)
		},
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			link, err := o.link(args[0])
			if err != nil {
				return err
			}
			defer link.Close()
			return cli.Ended(cmd.Context(), forward(cmd, link, args[0], args[1:], listen))
		},
	}
	cmd.Flags().StringArrayVar(&listen, "listen", nil, "address to listen on; once for each service")
	return cmd
}

func forward(cmd *cobra.Command, link *device.Link, router string, services, listen []string) error {
	ports, err := openPorts(cmd.ErrOrStderr(), link, services, listen)
	defer closePorts(ports)
	if err != nil {
		return err
	}
	if err := connect(cmd.Context(), link, router, services); err != nil {
		return err
	}
	ready := "ready"
	for i, p := range ports {
		ready += fmt.Sprintf(" %s=%s", services[i], p.Listener.Addr())
	}
	fmt.Fprintln(cmd.OutOrStdout(), ready)
	serve(cmd.Context(), ports)
	return nil
}

// openPorts opens a local port for each service, and returns those that are
// open when one of them can't be. What fails later is told on stderr.
func openPorts(stderr io.Writer, link *device.Link, services, listen []string) (ports []*proxy.Port, err error) {
	for i, service := range services {
		at := "127.0.0.1:0"
		if i < len(listen) {
			at = listen[i]
		}
		l, err := listenLocal(at)
		if err != nil {
			return ports, err
		}
		ports = append(ports, &proxy.Port{
			Listener: l,
			Open:     func(ctx context.Context) (splice.Conn, error) { return link.Open(ctx, service) },
			Failed:   func(err error) { fmt.Fprintf(stderr, "lethe: %s: %v\n", service, err) },
		})
	}
	return ports, nil
}

func closePorts(ports []*proxy.Port) {
	for _, p := range ports {
		p.Listener.Close()
	}
}

// connect opens the tunnel and sees that the router offers the services.
func connect(ctx context.Context, link *device.Link, router string, services []string) error {
	done := cli.Progress("connecting to " + router)
	defer done()
	_, status, err := fetchStatus(ctx, link)
	if errors.Is(err, &tunnel.RefusedError{Code: "service_not_granted"}) {
		return nil // a guest may not ask; the service itself will say
	}
	if err != nil {
		return err
	}
	offered := append(status.Services, service.NameStatus) // which every router has
	for _, s := range services {
		if !slices.Contains(offered, s) {
			return fmt.Errorf("%s offers no service %q; it offers: %s", router, s, strings.Join(offered, ", "))
		}
	}
	return nil
}

// serve runs all ports until ctx ends.
func serve(ctx context.Context, ports []*proxy.Port) {
	var running sync.WaitGroup
	for _, p := range ports {
		running.Go(func() { p.Serve(ctx) })
	}
	running.Wait()
}

func listenLocal(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	var op *net.OpError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: choose another --listen", addr)
	case errors.As(err, &op):
		return nil, fmt.Errorf("can't listen on %s: %w; --listen takes HOST:PORT of this machine", addr, op.Err)
	}
	return l, err
}
