package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIDVectors(t *testing.T) {
	for _, v := range idVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			router, device := RouterIDOf([]byte(v.PublicKey)), DeviceIDOf([]byte(v.PublicKey))
			if !bytes.Equal(router[:], v.RouterID) || router.String() != v.RouterText {
				t.Errorf("RouterID %x %s, want %x %s", router[:], router, v.RouterID, v.RouterText)
			}
			if !bytes.Equal(device[:], v.DeviceID) || device.String() != v.DeviceText {
				t.Errorf("DeviceID %x %s, want %x %s", device[:], device, v.DeviceID, v.DeviceText)
			}
			if got, err := ParseRouterID(v.RouterText); err != nil || got != router {
				t.Errorf("ParseRouterID: %v, %v", got, err)
			}
			if got, err := ParseDeviceID(v.DeviceText); err != nil || got != device {
				t.Errorf("ParseDeviceID: %v, %v", got, err)
			}
			if !strings.HasPrefix(v.RouterText, router.Short()+"-") || !strings.HasPrefix(v.DeviceText, device.Short()+"-") {
				t.Errorf("Short: %s, %s", router.Short(), device.Short())
			}
			if nonce := AccountNonce([]byte(v.PublicKey)); nonce != v.AccountNonce {
				t.Errorf("AccountNonce: %s", nonce)
			}
		})
	}
}

func TestParseRouterIDForgives(t *testing.T) {
	for _, v := range idVectors(t) {
		for name, typed := range map[string]string{
			"upper case":     strings.ToUpper(v.RouterText),
			"no dashes":      strings.ReplaceAll(v.RouterText, "-", ""),
			"spaces":         " \t" + strings.ReplaceAll(v.RouterText, "-", " ") + "\r\n",
			"digit for o":    strings.ReplaceAll(v.RouterText, "o", "0"),
			"digit for l":    strings.ReplaceAll(v.RouterText, "l", "1"),
			"digit for b":    strings.ReplaceAll(v.RouterText, "b", "8"),
			"two lines of 4": v.RouterText[:32] + "\n" + v.RouterText[32:],
		} {
			if got, err := ParseRouterID(typed); err != nil || got.String() != v.RouterText {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	v := idVectors(t)[0]
	other := byte('a')
	if v.RouterText[0] == 'a' {
		other = 'c'
	}
	for _, c := range []struct {
		name, typed string
		want        error
		says        string
	}{
		{"empty", "", ErrIDLength, "this one 0"},
		{"a character short", v.RouterText[:62], ErrIDLength, "this one 55"},
		{"a character long", v.RouterText + "a", ErrIDLength, "this one 57"},
		{"two at once", v.RouterText + v.RouterText, ErrIDLength, "this one 112"},
		{"a digit that no ID has", "9" + v.RouterText[1:], ErrIDCharacter, "2 to 7"},
		{"a letter that is not ASCII", "é" + v.RouterText[1:], ErrIDCharacter, "2 to 7"},
		{"one wrong character", string(other) + v.RouterText[1:], ErrIDTypo, "check characters"},
		{"a device's", v.DeviceText, ErrIDKind, "names a device, and a router is wanted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := ParseRouterID(c.typed)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || id != (RouterID{}) {
				t.Errorf("got %v, %v; want %v with %q", id, err, c.want, c.says)
			}
		})
	}
	if _, err := ParseDeviceID(v.RouterText); !errors.Is(err, ErrIDKind) || !strings.Contains(err.Error(), "names a router") {
		t.Errorf("a router's for a device's: %v", err)
	}
}

func TestIDRoundTripsAndCatchesTypos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := RouterID(rapid.SliceOfN(rapid.Byte(), idSize, idSize).Draw(t, "id"))
		text := id.String()
		if got, err := ParseRouterID(text); err != nil || got != id {
			t.Fatalf("%s: %v, %v", text, got, err)
		}
		chars := []byte(strings.ReplaceAll(text, "-", ""))
		i := rapid.IntRange(0, len(chars)-1).Draw(t, "position")
		c := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567")).Draw(t, "character")
		if c == chars[i] {
			return
		}
		chars[i] = c
		if _, err := ParseRouterID(string(chars)); !errors.Is(err, ErrIDTypo) {
			t.Fatalf("%s is accepted: %v", chars, err)
		}
	})
}

func TestIDText(t *testing.T) {
	type ids struct {
		Router RouterID
		Device DeviceID
	}
	key := identityOf(t, 1)
	want := ids{key.RouterID(), key.DeviceID()}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got ids
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s reads as %v, %v", text, got, err)
	}
	before := got
	if err := got.Router.UnmarshalText([]byte(want.Device.String())); !errors.Is(err, ErrIDKind) || got != before {
		t.Errorf("a device's ID for a router's: %v, %v", got, err)
	}
	if err := got.Device.UnmarshalText([]byte(want.Router.String())); !errors.Is(err, ErrIDKind) || got != before {
		t.Errorf("a router's ID for a device's: %v, %v", got, err)
	}
}
