package stage

import (
	"context"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// Span is what lies between two readings. T is what the parts say of themselves.
type Span[T any] struct {
	Elapsed       time.Duration
	CPU           map[string]time.Duration // that each role has used, all of its processes together
	Before, After T
}

// Rate is so many per second.
func (s Span[T]) Rate(n float64) float64 { return n / s.Elapsed.Seconds() }

// CPUFigures adds two figures of each role to the sample: the CPU seconds of one
// unit, of which there were so many, times scale; and how many processors the
// role has kept busy.
func (s Span[T]) CPUFigures(to suite.Sample, per string, units, scale float64) {
	for role, cpu := range s.CPU {
		to[role+per] = scale * cpu.Seconds() / units
		to[role+"_cores"] = s.Rate(cpu.Seconds())
	}
}

// Measure lets what runs on the stage warm up, and reads it at the beginning and
// at the end of the interval. It returns the first error that the stage has had.
func Measure[T any](s *Stage, env suite.Env, read func() T) (Span[T], error) {
	s.Wait(min(suite.WarmUp, env.Interval))
	s.profile(env, "profile")
	before, told := s.read(), read()
	s.Wait(env.Interval)
	after, toldAfter := s.read(), read()
	s.profile(env, "profile-end")
	span := Span[T]{Elapsed: after.at.Sub(before.at), Before: told, After: toldAfter}
	if s.err != nil {
		return span, s.err
	}
	span.CPU = s.usedBetween(before, after)
	return span, nil
}

// usedBetween is the CPU time of each role.
func (s *Stage) usedBetween(before, after reading) map[string]time.Duration {
	used := make(map[string]time.Duration)
	for i, role := range s.roles {
		used[role] += after.cpu[i] - before.cpu[i]
	}
	return used
}

// reading is where clock and CPU times stand at one time.
type reading struct {
	at  time.Time
	cpu []time.Duration // of the children
}

func (s *Stage) read() reading {
	r := reading{at: time.Now()}
	for _, child := range s.children {
		if s.err != nil {
			break
		}
		var cpu time.Duration
		cpu, s.err = child.CPU()
		r.cpu = append(r.cpu, cpu)
	}
	return r
}

// Wait lets so much time pass, unless the stage has an error or its end comes first.
func (s *Stage) Wait(d time.Duration) {
	if s.err != nil {
		return
	}
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
		s.err = context.Cause(s.ctx)
	}
}

// profile begins or ends the CPU profiles, if any are wanted.
func (s *Stage) profile(env suite.Env, do string) {
	if env.Profiles == "" {
		return
	}
	for i, child := range s.children {
		s.Ask(child, do, env.Profiles+"-"+s.profileName(i)+".pprof", nil)
	}
}

// profileName tells a child from all others: further ones of a role are numbered.
func (s *Stage) profileName(child int) string {
	nth := 1
	for _, role := range s.roles[:child] {
		if role == s.roles[child] {
			nth++
		}
	}
	if nth == 1 {
		return s.roles[child]
	}
	return fmt.Sprintf("%s-%d", s.roles[child], nth)
}
