package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// childWord is the first argument of a child; the second is its part.
const childWord = "child"

type request struct {
	Do   string          `json:"do"`
	Args json.RawMessage `json:"args,omitempty"`
}

type answer struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

// Handler answers one kind of request. ctx ends when the parent is gone.
type Handler func(ctx context.Context, args json.RawMessage) (any, error)

// Handle makes a Handler of a function whose argument is read from JSON.
func Handle[Args any](f func(context.Context, Args) (any, error)) Handler {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args Args
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, err
		}
		return f(ctx, args)
	}
}

// Part is what a child does: the requests that it answers, and how it ends.
type Part struct {
	Handlers map[string]Handler
	Close    func()
}

// Main makes the process a child if its arguments, without the program's name,
// say so; it then returns when the child has ended. Programs that call [Start]
// call it first of all, tests in TestMain.
func Main(args []string, parts map[string]func() Part) (exit int, child bool) {
	if len(args) != 2 || args[0] != childWord {
		return 0, false
	}
	make, known := parts[args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "bench: there is no part called %q\n", args[1])
		return 2, true
	}
	part := make()
	defer part.Close()
	if err := serve(os.Stdin, os.Stdout, part.Handlers); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s: %v\n", args[1], err)
		return 1, true
	}
	return 0, true
}

// serve answers requests until in ends.
func serve(in io.Reader, out io.Writer, handlers map[string]Handler) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests, failed := make(chan request), make(chan error, 1)
	go func() { // reads on while a request is answered, to see the end in time
		defer cancel()
		defer close(requests)
		for decoder := json.NewDecoder(in); ; {
			var r request
			if err := decoder.Decode(&r); err != nil {
				failed <- err
				return
			}
			requests <- r
		}
	}()
	var p profile
	defer p.end()
	encoder := json.NewEncoder(out)
	for r := range requests {
		handler := handlers[r.Do]
		if own := p.handler(r.Do); own != nil {
			handler = own
		}
		if err := encoder.Encode(answerTo(ctx, r, handler)); err != nil {
			return err
		}
	}
	if err := <-failed; err != io.EOF {
		return err
	}
	return nil
}

func answerTo(ctx context.Context, r request, handler Handler) answer {
	if handler == nil {
		return answer{Error: fmt.Sprintf("this part does not know %q", r.Do)}
	}
	value, err := handler(ctx, r.Args)
	if err != nil {
		return answer{Error: err.Error()}
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: raw}
}
