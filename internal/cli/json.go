package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

// JSONFlag gives a command its --json.
func JSONFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// PrintJSON prints v on stdout. It leaves the & of URIs as it is, for scripts
// that cut them out.
func PrintJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
