package suite

import (
	"maps"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{4}, 4},
		{[]float64{3, 1, 2}, 2},
		{[]float64{9, 1}, 5},
		{[]float64{100, 1, 2, 3, 0}, 2},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	values := []float64{3, 1, 2}
	if median(values); values[0] != 3 {
		t.Error("median sorts its caller's slice")
	}
}

func TestSummarize(t *testing.T) {
	medians, spreads := summarize([]Sample{{"a": 1, "b": 7}, {"a": 5}, {"a": 2}})
	if want := (Sample{"a": 2, "b": 7}); !maps.Equal(medians, want) {
		t.Errorf("medians %v, want %v", medians, want)
	}
	if want := map[string]Spread{"a": {1, 5}, "b": {7, 7}}; !maps.Equal(spreads, want) {
		t.Errorf("spreads %v, want %v", spreads, want)
	}
}
