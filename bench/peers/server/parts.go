package server

import "github.com/lethe-relay/lethe/bench/proc"

// Start is the request that both parts answer.
const Start = "start"

// The parts, by the names that [proc.Start] takes.
const (
	ProgramPart = "program"
	PionPart    = "pion"
)

// Running is the answer to Start.
type Running struct{ PID int }

// Parts is what [proc.Main] takes.
func Parts() map[string]func() proc.Part {
	return map[string]func() proc.Part{ProgramPart: newProgram, PionPart: newPion}
}
