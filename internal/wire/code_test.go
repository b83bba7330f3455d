package wire

import (
	"bytes"
	"testing"
)

func TestCloseNumbers(t *testing.T) {
	seen := map[Code]bool{}
	for n, code := range closeNumbers {
		if n == 0 {
			continue
		}
		if code == "" || seen[code] {
			t.Errorf("number %d: %q is empty or a repetition", n, code)
		}
		seen[code] = true
		if got := code.CloseNumber(); got != uint64(n) {
			t.Errorf("%s has number %d, want %d", code, got, n)
		}
		if got := CodeOfClose(uint64(n)); got != code {
			t.Errorf("number %d is %s, want %s", n, got, code)
		}
		if err := WriteMessage(new(bytes.Buffer), &Error{Code: code}); err != nil {
			t.Errorf("%s can't be sent: %v", code, err)
		}
	}
	if got := CodeOfClose(CloseNone); got != "" {
		t.Errorf("number 0 is %s", got)
	}
}

func TestUnknownCloseNumbersAreInternal(t *testing.T) {
	for _, n := range []uint64{uint64(len(closeNumbers)), 1<<62 - 1, 1<<64 - 1} {
		if got := CodeOfClose(n); got != CodeInternal {
			t.Errorf("number %d is %s", n, got)
		}
	}
	for _, code := range []Code{"", "of_a_later_version"} {
		if got := code.CloseNumber(); got != CodeInternal.CloseNumber() {
			t.Errorf("code %q has number %d", code, got)
		}
	}
}

func TestValidNames(t *testing.T) {
	for name, want := range map[string][2]bool{ // service, label
		"http":              {true, true},
		"a-1":               {true, true},
		"":                  {false, false},
		"HTTP":              {false, true},
		"Ada’s 👩‍💻":         {false, true},
		"a\x1b[31m":         {false, false},
		"a\u202eb":          {false, false},
		"a\u2028b":          {false, false},
		"\xc3\x28":          {false, false},
		string33:            {false, true},
		string33[:32]:       {true, true},
		string33 + string33: {false, false},
	} {
		if got := [2]bool{ValidServiceName(name), ValidName(name)}; got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

const string33 = "abcdefghijklmnopqrstuvwxyz0123456"
