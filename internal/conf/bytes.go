package conf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of data in bytes, 0 or more, written as a whole number and a unit: "1500B",
// "64KiB", "256MiB", "1GB". kB, MB, GB and TB are powers of 1000; KiB, MiB, GiB and TiB powers of 1024.
type Bytes int64

type byteUnit struct {
	name string
	size int64
}

// byteUnits is the table of units, largest first.
var byteUnits = [...]byteUnit{
	{"TiB", 1 << 40}, {"TB", 1e12},
	{"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"kB", 1e3},
	{"B", 1},
}

// UnmarshalText parses an amount. Upper and lower case count alike; a number needs a unit, 0 too.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, ok := parseBytes(string(text))
	if !ok {
		return fmt.Errorf("%q is not an amount of data; write a whole number and a unit, such as 64KiB, 256MiB or 1GB", text)
	}
	*b = v
	return nil
}

// MarshalText writes b such that UnmarshalText reads it back.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String writes b in the largest unit that leaves a whole number.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return "0B"
}

func parseBytes(s string) (Bytes, bool) {
	digits := strings.TrimLeft(s, "0123456789")
	number, unit := s[:len(s)-len(digits)], strings.TrimSpace(digits)
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, false
	}
	for _, u := range byteUnits {
		if strings.EqualFold(unit, u.name) {
			return Bytes(n * u.size), n <= math.MaxInt64/u.size
		}
	}
	return 0, false
}
