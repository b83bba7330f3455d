package conf

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]struct {
		value time.Duration
		again string
	}{
		"30s":       {30 * time.Second, "30s"},
		"5m":        {5 * time.Minute, "5m"},
		"1h30m":     {90 * time.Minute, "1h30m"},
		"48h":       {48 * time.Hour, "2d"},
		"90d":       {90 * day, "90d"},
		"1d12h":     {36 * time.Hour, "1d12h"},
		"1.5h":      {90 * time.Minute, "1h30m"},
		"250ms":     {250 * time.Millisecond, "250ms"},
		"0s":        {0, "0s"},
		"106751d":   {106751 * day, "106751d"},
		"10d0h0m1s": {10*day + time.Second, "10d1s"},
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want.value {
			t.Errorf("%q: %v, %v; want %v", text, time.Duration(d), err, want.value)
		}
		if d.String() != want.again {
			t.Errorf("%q: String is %q, want %q", text, d, want.again)
		}
	}
	for _, text := range []string{"", "0", "30", "-5m", "+5m", "1d-1h", "d", "1dd", "1.5d", "5 m", "5 minutes", "106752d", "106751d24h", "99999999999999999999d", "9999999h"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, d)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]struct {
		value Bytes
		again string
	}{
		"0B":      {0, "0B"},
		"1500B":   {1500, "1500B"},
		"64KiB":   {64 << 10, "64KiB"},
		"64 kib":  {64 << 10, "64KiB"},
		"1024MiB": {1 << 30, "1GiB"},
		"1GB":     {1e9, "1GB"},
		"5kB":     {5000, "5kB"},
		"2TiB":    {2 << 40, "2TiB"},
	} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want.value {
			t.Errorf("%q: %d, %v; want %d", text, int64(b), err, int64(want.value))
		}
		if b.String() != want.again {
			t.Errorf("%q: String is %q, want %q", text, b, want.again)
		}
	}
	for _, text := range []string{"", "0", "65536", "-1B", "+1B", "1.5GiB", "GiB", "1K", "1GiBs", "9000000TiB", "9223372036854775808B", "0x10B"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, int64(b))
		}
	}
	if s := Bytes(math.MaxInt64).String(); s != "9223372036854775807B" {
		t.Errorf("largest amount: %s", s)
	}
}

func TestBitRate(t *testing.T) {
	for text, want := range map[string]struct {
		value BitRate
		again string
	}{
		"0bit":     {0, "0bit"},
		"0":        {0, "0bit"},
		"1500bit":  {1500, "1500bit"},
		"64kbit":   {64_000, "64kbit"},
		"100 mbit": {1e8, "100Mbit"},
		"1000Mbit": {1e9, "1Gbit"},
		"40Gbit":   {4e10, "40Gbit"},
	} {
		var r BitRate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want.value {
			t.Errorf("%q: %d, %v; want %d", text, int64(r), err, int64(want.value))
		}
		if r.String() != want.again {
			t.Errorf("%q: String is %q, want %q", text, r, want.again)
		}
	}
	for _, text := range []string{"", "00", "-0", "100", "-1Mbit", "+1Mbit", "1.5Gbit", "Mbit", "100M", "100MB", "100Mbit/s", "100Mbps", "10Mibit", "9300000000Gbit", "0x10bit"} {
		var r BitRate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, int64(r))
		}
	}
	if s := BitRate(math.MaxInt64).String(); s != "9223372036854775807bit" {
		t.Errorf("highest speed: %s", s)
	}
}

// FuzzValues: what was read once is written such that it is read as the same value again.
func FuzzValues(f *testing.F) {
	f.Add("90d")
	f.Add("1d12h")
	f.Add("64KiB")
	f.Add("1GB")
	f.Add("100Mbit")
	f.Fuzz(func(t *testing.T, text string) {
		var d, d2 Duration
		if d.UnmarshalText([]byte(text)) == nil {
			if err := d2.UnmarshalText([]byte(d.String())); err != nil || d != d2 || d < 0 {
				t.Errorf("duration %q → %q → %d, %v; want %d", text, d, d2, err, d)
			}
		}
		var b, b2 Bytes
		if b.UnmarshalText([]byte(text)) == nil {
			if err := b2.UnmarshalText([]byte(b.String())); err != nil || b != b2 || b < 0 {
				t.Errorf("bytes %q → %q → %d, %v; want %d", text, b, b2, err, b)
			}
		}
		var r, r2 BitRate
		if r.UnmarshalText([]byte(text)) == nil {
			if err := r2.UnmarshalText([]byte(r.String())); err != nil || r != r2 || r < 0 {
				t.Errorf("speed %q → %q → %d, %v; want %d", text, r, r2, err, r)
			}
		}
	})
}
