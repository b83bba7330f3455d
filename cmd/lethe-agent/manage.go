package main

import (
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
