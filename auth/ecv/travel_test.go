package ecv

import (
	"math"
	"testing"
	"time"

	"github.com/golang/geo/s2"
)

// The distance is from cell to cell, not from middle to middle: half a cell at
// each end, 1.9 km in all, is the traveller's.
func TestTooFarCountsTheCells(t *testing.T) {
	from, to := place(t, 52.52, 13.405), place(t, 48.137, 11.576)
	to.Seen = from.Seen.Add(time.Hour)
	middles := s2.CellID(from.Cell).LatLng().Distance(s2.CellID(to.Cell).LatLng()).Radians() * earthRadius
	if TooFar(from, to, middles-1) || !TooFar(from, to, middles-3) {
		t.Errorf("the distance of the cells is not that of their middles, %f km, less 1.9 km", middles)
	}
}

func TestTooFar(t *testing.T) {
	berlin := place(t, 52.52, 13.405)
	munich := place(t, 48.137, 11.576)  // 504 km away
	potsdam := place(t, 52.39, 13.065)  // 27 km away
	dresden := place(t, 51.05, 13.74)   // 165 km away
	magdeburg := place(t, 52.12, 11.63) // 128 km away
	suva := place(t, -18.14, 178.44)    // two sides of the
	apia := place(t, -13.83, -171.76)   // date line, 1144 km
	nowhere := Place{Cell: 6 << 61, Seen: now}
	for name, c := range map[string]struct {
		from, to Place
		after    time.Duration
		limit    float64
		want     bool
	}{
		"by train":                      {berlin, munich, 4 * time.Hour, 300, false},
		"just by aeroplane":             {berlin, munich, 34 * time.Minute, 900, false},
		"faster than that":              {berlin, munich, 33 * time.Minute, 900, true},
		"at once":                       {berlin, munich, 0, 900, true},
		"the other way":                 {munich, berlin, 0, 900, true},
		"evidence in reverse order":     {berlin, munich, -4 * time.Hour, 300, false},
		"in reverse order, too fast":    {berlin, munich, -33 * time.Minute, 900, true},
		"near by, at once":              {berlin, potsdam, 0, 900, false},
		"near by, at no speed":          {berlin, potsdam, 0, 0, false},
		"over the least distance":       {berlin, magdeburg, 0, 900, true},
		"by car":                        {berlin, dresden, 2 * time.Hour, 100, false},
		"by a fast car":                 {berlin, dresden, time.Hour, 100, true},
		"over the date line":            {suva, apia, 2 * time.Hour, 900, false},
		"over the date line, too fast":  {suva, apia, time.Hour, 900, true},
		"no speed":                      {berlin, munich, 100 * time.Hour, 0, true},
		"a speed below zero":            {berlin, munich, 100 * time.Hour, -1, true},
		"a speed that is no number":     {berlin, munich, 100 * time.Hour, math.NaN(), true},
		"any speed":                     {berlin, munich, time.Nanosecond, math.Inf(1), false},
		"to no place":                   {berlin, nowhere, 0, 900, false},
		"from no place":                 {nowhere, berlin, 0, 900, false},
		"nowhere yet, the zero place":   {Place{}, berlin, 0, 900, false},
		"as long ago as Go can measure": {berlin, munich, math.MinInt64, 900, false},
	} {
		from, to := c.from, c.to
		to.Seen = from.Seen.Add(c.after)
		if got := TooFar(from, to, c.limit); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
