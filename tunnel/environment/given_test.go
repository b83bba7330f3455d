package environment

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

func TestParseWiFi(t *testing.T) {
	for _, c := range []struct {
		ssid, bssid string
		want        Given[ecv.Network]
		err         string // a part of it
	}{
		{"", "", Given[ecv.Network]{}, ""},
		{"none", "", Given[ecv.Network]{said: true}, ""},
		{"none", "3c:84:6a:12:34:56", givenNetwork("none", accessPoint), ""},
		{"Home", "", givenNetwork("Home", [6]byte{}), ""},
		{"Home", "3C:84:6A:12:34:56", givenNetwork("Home", accessPoint), ""},
		{" a:b\\c\"d'\n\xff", "3c:84:6a:12:34:56", givenNetwork(" a:b\\c\"d'\n\xff", accessPoint), ""},
		{strings.Repeat("n", 32), "", givenNetwork(strings.Repeat("n", 32), [6]byte{}), ""},
		{strings.Repeat("n", 33), "", Given[ecv.Network]{}, "--wifi-ssid"},
		{"", "3c:84:6a:12:34:56", Given[ecv.Network]{}, "--wifi-ssid"},
		{"Home", "3c846a123456", Given[ecv.Network]{}, "--wifi-bssid"},
		{"Home", "none", Given[ecv.Network]{}, "--wifi-bssid"},
		{"Home", "01:00:5e:00:00:01", Given[ecv.Network]{}, "--wifi-bssid"},
		{"Home", "00:00:00:00:00:00", Given[ecv.Network]{}, "--wifi-bssid"},
	} {
		got, err := ParseWiFi(c.ssid, c.bssid)
		checkGiven(t, c.ssid+" "+c.bssid, got, c.want, err, c.err)
		if c.err != "" && c.ssid != "" && strings.Contains(err.Error(), c.ssid) {
			t.Errorf("the error tells the network's name: %v", err)
		}
	}
}

func TestParseLocation(t *testing.T) {
	const form = "--location must be LAT,LON in degrees, such as 52.52,13.40"
	for _, c := range []struct {
		text     string
		lat, lon float64 // of what is given
		err      string
	}{
		{"52.52,13.40", 52.52, 13.40, ""},
		{" 52.52 , 13.40 ", 52.52, 13.40, ""},
		{"-33.9,+18", -33.9, 18, ""},
		{"90,-180", 90, -180, ""},
		{"90.1,0", 0, 0, "latitude"},
		{"0,181", 0, 0, "longitude"},
		{"52,52,13,40", 0, 0, form},
		{"52.52", 0, 0, form},
		{"52.52,", 0, 0, form},
		{",", 0, 0, form},
		{"52.52;13.40", 0, 0, form},
		{"52.52N,13.40E", 0, 0, form},
		{"NaN,NaN", 0, 0, form},
		{"inf,0", 0, 0, form},
		{"0x1p4,1e1", 0, 0, form},
		{"1_0,0", 0, 0, form},
		{"None", 0, 0, form},
	} {
		var want Given[ecv.Place]
		if c.err == "" {
			want = givenPlace(t, c.lat, c.lon)
		}
		got, err := ParseLocation(c.text)
		checkGiven(t, c.text, got, want, err, c.err)
	}
	for text, want := range map[string]Given[ecv.Place]{"": {}, "none": {said: true}} {
		got, err := ParseLocation(text)
		checkGiven(t, text, got, want, err, "")
	}
}

// What the user gives is true whenever it is asked for, so it is never stale.
func TestGivenIsSeenNow(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	l := Laptop{WiFi: givenNetwork("Home", [6]byte{}), Place: givenPlace(t, 52.52, 13.40)}
	var last time.Time
	for range 2 {
		before := time.Now()
		e, err := l.Evidence(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.WiFi.SSID != "Home" || e.Place.Cell != l.Place.shown.Cell {
			t.Fatalf("%+v, %+v", e.WiFi, e.Place)
		}
		for _, seen := range []time.Time{e.WiFi.Seen, e.Place.Seen} {
			if seen.Before(before) || seen.After(time.Now()) || seen.Before(last) {
				t.Fatalf("seen at %v", seen)
			}
		}
		last = e.WiFi.Seen
		e.WiFi.SSID, e.Place.Cell = "changed", 0 // the caller's
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := Laptop{WiFi: givenNetwork("Home", [6]byte{})}.Evidence(ctx)
	if err != context.Canceled || e != (ecv.Evidence{}) {
		t.Fatalf("%+v, %v", e, err)
	}
}

func givenNetwork(ssid string, bssid [6]byte) Given[ecv.Network] {
	return Given[ecv.Network]{said: true, shown: &ecv.Network{SSID: ssid, BSSID: bssid}}
}

func givenPlace(t *testing.T, lat, lon float64) Given[ecv.Place] {
	t.Helper()
	p, err := ecv.PlaceAt(lat, lon, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return Given[ecv.Place]{said: true, shown: &p}
}

func checkGiven[T comparable](t *testing.T, what string, got, want Given[T], err error, wantErr string) {
	t.Helper()
	if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
		t.Errorf("%q: error %v, want %q", what, err, wantErr)
	}
	same := got.shown == want.shown || got.shown != nil && want.shown != nil && *got.shown == *want.shown
	if got.said != want.said || !same {
		t.Errorf("%q: %+v, want %+v", what, got, want)
	}
}
