package conf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// BitRate is a speed in bits per second, 0 or more, written as a whole number and a unit: "64kbit",
// "100Mbit", "1Gbit". Units are powers of 1000, as providers have them; bytes are no unit here.
type BitRate int64

type bitUnit struct {
	name string
	size int64
}

// bitUnits is the table of units, largest first.
var bitUnits = [...]bitUnit{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

// UnmarshalText parses a speed. Upper and lower case count alike; a number needs a unit, but for 0,
// which is the same in all.
func (r *BitRate) UnmarshalText(text []byte) error {
	v, ok := parseBitRate(string(text))
	if !ok {
		return fmt.Errorf("%q is not a speed; write a whole number and a unit, bits per second, such as 500kbit, 100Mbit or 1Gbit", text)
	}
	*r = v
	return nil
}

// MarshalText writes r such that UnmarshalText reads it back.
func (r BitRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String writes r in the largest unit that leaves a whole number.
func (r BitRate) String() string {
	for _, u := range bitUnits {
		if r != 0 && int64(r)%u.size == 0 {
			return strconv.FormatInt(int64(r)/u.size, 10) + u.name
		}
	}
	return "0bit"
}

func parseBitRate(s string) (BitRate, bool) {
	if s == "0" {
		return 0, true
	}
	digits := strings.TrimLeft(s, "0123456789")
	number, unit := s[:len(s)-len(digits)], strings.TrimSpace(digits)
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, false
	}
	for _, u := range bitUnits {
		if strings.EqualFold(unit, u.name) {
			return BitRate(n * u.size), n <= math.MaxInt64/u.size
		}
	}
	return 0, false
}
