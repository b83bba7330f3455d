package guard

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/lethe-relay/lethe/bench/suite"
)

// File is the committed values, and where they come from.
type File struct {
	*suite.Report        // without scenarios: commit, machine, flags
	Values        Values `json:"values"`
}

// ReadFile reads committed values.
func ReadFile(path string) (File, error) {
	var f File
	data, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	if len(f.Values) == 0 {
		return f, fmt.Errorf("%s has no values", path)
	}
	return f, nil
}

// WriteFile writes values to be committed.
func WriteFile(path string, f File) error {
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
