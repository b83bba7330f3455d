package proc

import (
	"context"
	"encoding/json"
	"os"
	"runtime/pprof"
)

// profile is the CPU profile that a child writes between two requests.
type profile struct{ file *os.File }

// handler returns the answer to a request about profiles, or nil for others.
func (p *profile) handler(do string) Handler {
	switch do {
	case "profile":
		return Handle(func(_ context.Context, path string) (any, error) { return nil, p.begin(path) })
	case "profile-end":
		return func(context.Context, json.RawMessage) (any, error) { return nil, p.end() }
	}
	return nil
}

func (p *profile) begin(path string) (err error) {
	if p.file, err = os.Create(path); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.file)
}

func (p *profile) end() error {
	if p.file == nil {
		return nil
	}
	pprof.StopCPUProfile()
	err := p.file.Close()
	p.file = nil
	return err
}
