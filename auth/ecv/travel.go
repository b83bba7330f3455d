package ecv

import "github.com/golang/geo/s2"

const (
	earthRadius = 6371.01 // km, the mean radius
	minTravel   = 100.0   // km; less is noise of positioning, or a cell's border
)

// TooFar tells whether nobody could have got from one place to the other in the
// time between them, at limitKmh km/h at most, in either direction. The cells'
// own size counts for the traveller, and less than 100 km is never too far, nor
// is a place that is not Valid.
func TooFar(from, to Place, limitKmh float64) bool {
	if !from.Valid() || !to.Valid() {
		return false
	}
	a, b := s2.CellID(from.Cell).LatLng(), s2.CellID(to.Cell).LatLng()
	size := s2.MaxDiagMetric.Value(PlaceLevel)
	km := (a.Distance(b).Radians() - size) * earthRadius
	hours := to.Seen.Sub(from.Seen).Abs().Hours()
	return km >= minTravel && !(km <= limitKmh*hours) // so that a limit of NaN lets nobody travel
}
