package suite

import "slices"

// Spread is the smallest and the largest of some values.
type Spread struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// median is the middle value, or the mean of the two in the middle. Of no
// values it is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// summarize gives the median and spread of every figure over the rounds. A
// figure that some rounds do not have is summed up over those that have it.
func summarize(rounds []Sample) (Sample, map[string]Spread) {
	values := make(map[string][]float64)
	for _, round := range rounds {
		for figure, value := range round {
			values[figure] = append(values[figure], value)
		}
	}
	medians, spreads := make(Sample), make(map[string]Spread)
	for figure, v := range values {
		medians[figure] = median(v)
		spreads[figure] = Spread{slices.Min(v), slices.Max(v)}
	}
	return medians, spreads
}
