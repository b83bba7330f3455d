package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/bulk"
	"github.com/lethe-relay/lethe/bench/endpoint"
	"github.com/lethe-relay/lethe/bench/idle"
	"github.com/lethe-relay/lethe/bench/latency"
	"github.com/lethe-relay/lethe/bench/open"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/programs"
	"github.com/lethe-relay/lethe/bench/suite"
	"github.com/lethe-relay/lethe/bench/swarm"
	"github.com/lethe-relay/lethe/internal/cli"
)

var errBar = errors.New("a bar is not reached, or was not measured")

func main() {
	if exit, child := proc.Main(os.Args[1:], part.All()); child {
		os.Exit(exit)
	}
	os.Exit(cli.Run(command(), nil))
}

// scenarios are all that there are, in the order in which they run.
func scenarios() []suite.Scenario {
	return []suite.Scenario{
		bulk.Scenario(),
		swarm.Scenario(),
		latency.Scenario(),
		open.Scenario(),
		idle.Scenario(),
		endpoint.Scenario(),
		programs.Peers(),
		programs.Retention(),
	}
}

func command() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "bench [SCENARIO…]",
		Short: "Measure what Lethe costs on this machine",
		Long: `Measure what Lethe costs on this machine, on loopback. Without a name all
scenarios run. bench/README.md says what the lines mean.

It can be installed with 'go install ./bench'; guard, and the scenarios peers and
retention, still need to be started in the source tree, of which they build parts.

Exit codes: 0 done, 1 failed or, with --check, a bar is not reached, 2 wrong usage.`,
		Example: `  go run ./bench                                  # all of it
  go run ./bench bulk swarm --rounds 7 --json result.json --plots plots
  go run ./bench --short                          # a first look: a moment of each line
  go run ./bench bulk --check                     # exit code 1 when a bar is not reached
  go run ./bench bulk --profile profiles          # and then: go tool pprof profiles/…
  go run ./bench show result.json --plots plots   # table and pictures of a report
  source <(go run ./bench completion bash)        # for a bench that was installed`,
		Args:    cobra.OnlyValidArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return f.complete(cmd) },
		RunE:    func(cmd *cobra.Command, names []string) error { return run(cmd, names, f) },
	}
	cmd.Long += "\n\nScenarios:"
	for _, s := range scenarios() {
		cmd.Long += fmt.Sprintf("\n  %-10s %s", s.Name, s.About)
		cmd.ValidArgs = append(cmd.ValidArgs, s.Name+"\t"+s.About)
	}
	f.define(cmd.Flags())
	cmd.AddCommand(guardCommand(), showCommand())
	return cmd
}
