package conf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// A Duration is a length of time, 0 or more, written "30s", "5m", "48h", "90d" or "1d12h". A day is 24 hours.
type Duration time.Duration

// UnmarshalText parses a duration. A number needs a unit, 0 too.
func (d *Duration) UnmarshalText(text []byte) error {
	v, ok := parseDuration(string(text))
	if !ok {
		return fmt.Errorf("%q is not a duration; write a number and a unit, such as 30s, 5m, 48h or 90d", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes d such that UnmarshalText reads it back.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes days apart and leaves out units that are zero: "90d", "1d12h", "5m".
func (d Duration) String() string {
	days, rest := time.Duration(d)/day, time.Duration(d)%day
	if days <= 0 {
		return trimZeros(time.Duration(d).String())
	}
	if rest == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return fmt.Sprintf("%dd%s", days, trimZeros(rest.String()))
}

func parseDuration(s string) (time.Duration, bool) {
	var days uint64
	if number, rest, ok := strings.Cut(s, "d"); ok {
		var err error
		if days, err = strconv.ParseUint(number, 10, 64); err != nil || days > uint64(math.MaxInt64/day) {
			return 0, false
		}
		if s = rest; s == "" {
			return time.Duration(days) * day, true
		}
	}
	if strings.ContainsAny(s, "+-") || s == "0" { // ParseDuration takes both
		return 0, false
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest > math.MaxInt64-time.Duration(days)*day {
		return 0, false
	}
	return time.Duration(days)*day + rest, true
}

// trimZeros makes "5m" of "5m0s" and "48h" of "48h0m0s".
func trimZeros(s string) string {
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
