package service

import (
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for _, name := range []string{"http", "a", "0", "home-assistant-2", "a-", strings.Repeat("x", 32), NameUnpair, NameStatus} {
		if err := ValidName(name); err != nil {
			t.Errorf("ValidName(%q) = %v, want nil", name, err)
		}
	}
	for name, want := range map[string]string{
		"":                        "no name",
		strings.Repeat("x", 33):   "too long",
		strings.Repeat("ö", 1000): "too long",
		"HTTP":                    "not valid",
		"a b":                     "not valid",
		"a/b":                     "not valid",
		"-o":                      "not valid",
		"ä":                       "not valid",
		"a\n":                     "not valid",
		"a\x00":                   "not valid",
	} {
		err := ValidName(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ValidName(%q) = %v, want an error that says %q", name, err, want)
		} else if len(err.Error()) > 400 {
			t.Errorf("the error for a name of %d bytes has %d bytes", len(name), len(err.Error()))
		}
	}
}

func TestServiceValidate(t *testing.T) {
	target, err := ParseTarget("tcp:127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		service Service
		want    string // in the error; empty: valid
	}{
		{Service{"http", target}, ""},
		{Service{"pairing", target}, ""},
		{Service{NameUnpair, target}, `"unpair" is taken by a built-in`},
		{Service{NameStatus, target}, `"status" is taken by a built-in`},
		{Service{"", target}, "no name"},
		{Service{Name: "http"}, `"http" has no target`},
	} {
		switch err := tc.service.Validate(); {
		case tc.want == "" && err != nil:
			t.Errorf("%v: %v, want nil", tc.service, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%v: %v, want an error that says %q", tc.service, err, tc.want)
		}
	}
}
