package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/bench/suite"
)

// showCommand shows what an earlier run has measured.
func showCommand() *cobra.Command {
	var plots string
	cmd := &cobra.Command{
		Use:     "show FILE",
		Short:   "Show a report again, without measuring",
		Example: "  go run ./bench show result.json --plots plots",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := suite.ReadFile(args[0])
			if err != nil {
				return err
			}
			if err := report.WriteTables(cmd.OutOrStdout()); err != nil || plots == "" {
				return err
			}
			if err := os.MkdirAll(plots, 0o755); err != nil {
				return err
			}
			return report.WritePNGs(plots)
		},
	}
	cmd.Flags().StringVar(&plots, "plots", "", "folder for a picture of each scenario, as PNG")
	return cmd
}
