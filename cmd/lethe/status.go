package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const maxStatus = 1 << 20 // bytes; the router bounds it, too

func statusCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "status ROUTER",
		Short:             "Show how a router is",
		Example:           "  lethe status home\n  lethe status home --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			link, err := o.link(args[0])
			if err != nil {
				return err
			}
			defer link.Close()
			done := cli.Progress("asking " + args[0])
			defer done()
			doc, status, err := fetchStatus(cmd.Context(), link)
			done()
			if err != nil {
				return err
			}
			if asJSON {
				_, err := cmd.OutOrStdout().Write(doc)
				return err
			}
			return printStatus(cmd.OutOrStdout(), status)
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// fetchStatus returns the router's status, as it came and as it reads.
func fetchStatus(ctx context.Context, link *device.Link) (doc []byte, status service.Status, err error) {
	stream, err := link.Open(ctx, service.NameStatus)
	if err != nil {
		return nil, status, err
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	defer stop()
	if doc, err = io.ReadAll(io.LimitReader(stream, maxStatus)); err != nil {
		return nil, status, err
	}
	if err := json.NewDecoder(bytes.NewReader(doc)).Decode(&status); err != nil {
		return nil, status, fmt.Errorf("the router's status can't be read: %w; its agent may be of another version", err)
	}
	return doc, status, nil
}

func printStatus(out io.Writer, s service.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", cli.Printable(key), cli.Printable(value))
		}
	}
	row("model", s.Model)
	row("hostname", s.Hostname)
	row("kernel", s.Kernel)
	row("agent", s.AgentVersion)
	if s.UptimeSeconds > 0 {
		row("up", (time.Duration(s.UptimeSeconds) * time.Second).String())
	}
	row("services", strings.Join(s.Services, ", "))
	for _, i := range s.Interfaces {
		row(i.Name, strings.Join(i.Addresses, ", "))
	}
	if err := w.Flush(); err != nil || len(s.Clients) == 0 {
		return err
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLIENT\tADDRESS\tMAC")
	for _, c := range s.Clients {
		fmt.Fprintf(w, "%s\t%s\t%s\n", cli.Printable(c.Hostname), cli.Printable(c.IP), cli.Printable(c.MAC))
	}
	return w.Flush()
}
