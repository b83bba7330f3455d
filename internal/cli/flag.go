package cli

import "github.com/spf13/cobra"

// ConfigFlag gives a command its required --config, a YAML file.
func ConfigFlag(cmd *cobra.Command, path *string, usage string) {
	cmd.Flags().StringVar(path, "config", "", usage)
	cmd.MarkFlagRequired("config")
	cmd.MarkFlagFilename("config", "yaml")
}
