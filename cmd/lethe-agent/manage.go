package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/tunnel/agent"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// manage asks the running agent of the configuration at path.
func manage(cmd *cobra.Command, path string, request service.ManageRequest) (service.ManageAnswer, error) {
	cfg, err := agent.LoadConfig(path)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	return cfg.Manage(cmd.Context(), request)
}

// printJSON leaves the & of URIs as it is, for scripts that cut them out.
func printJSON(cmd *cobra.Command, v any) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}
