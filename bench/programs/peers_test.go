package programs

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// TestReport: the one result of a report counts as it is, with what it was judged by.
func TestReport(t *testing.T) {
	there := &suite.Result{
		Name: "peers", About: "others", Columns: []suite.Column{{Figure: "x", Head: "x"}},
		Bars: []suite.Verdict{{Bar: suite.Bar{What: "x", Zero: true}, Pass: true}}, Notes: []string{"coturn 4.6"},
	}
	there.AddLine("coturn", []suite.Sample{{"x": 0}})
	s := Peers()
	s.Elsewhere = &suite.Elsewhere{Measure: func(context.Context, suite.Options) (*suite.Result, error) {
		return only(&suite.Report{Scenarios: []*suite.Result{there}})
	}}
	r, err := suite.Run(t.Context(), s, suite.Options{})
	if err != nil || !r.Pass() || len(r.Bars) != 1 || len(r.Columns) != 1 || len(r.Lines) != 1 || !slices.Equal(r.Notes, there.Notes) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := only(new(suite.Report)); err == nil {
		t.Error("a report of nothing is taken")
	}
}

// TestTakes: more rounds take longer, and so does a full audit.
func TestTakes(t *testing.T) {
	peers, audit := Peers().Elsewhere.Takes, Retention().Elsewhere.Takes
	few, many := suite.Options{Rounds: 1, Interval: time.Second}, suite.Options{Rounds: 5, Interval: time.Second, Full: true}
	if peers(few) <= 0 || peers(many) != 5*peers(few) || audit(few) >= audit(many) {
		t.Errorf("%v, %v; %v, %v", peers(few), peers(many), audit(few), audit(many))
	}
}
