package lockdown

import (
	"slices"
	"strings"
	"testing"
)

// What the Go runtime is started with: applied again it changes nothing, so that a program executes itself
// anew once and no more.
func TestFitEnvironment(t *testing.T) {
	for _, c := range []struct{ environ, want []string }{
		{[]string{"A=1"}, []string{"A=1", "GOTRACEBACK=none", "GODEBUG=clobberfree=1,netdns=go"}},
		{[]string{"GOTRACEBACK=all", "A=1"}, []string{"A=1", "GOTRACEBACK=none", "GODEBUG=clobberfree=1,netdns=go"}},
		{[]string{"GODEBUG=clobberfree=0,x=y"}, []string{"GOTRACEBACK=none", "GODEBUG=x=y,clobberfree=1,netdns=go"}},
		{[]string{"GODEBUG=netdns=cgo,,", "GODEBUG=second=1"}, []string{"GOTRACEBACK=none", "GODEBUG=clobberfree=1,netdns=go"}},
	} {
		got := fitEnvironment(c.environ)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, not %q", c.environ, got, c.want)
		}
		if isFit(c.environ) || !isFit(got) || !slices.Equal(fitEnvironment(got), got) {
			t.Errorf("%q: it would not come to an end", c.environ)
		}
	}
}

func TestObjections(t *testing.T) {
	for _, name := range []string{"SSLKEYLOGFILE", "QLOGDIR", "QUIC_GO_LOG_LEVEL"} {
		for mode, follows := range map[Mode]string{Require: "unset it", Prefer: "runs without it"} {
			got := objections(mode, []string{"A=1", name + "=x"})
			if len(got) != 1 || !strings.Contains(got[0], "the variable "+name+" is set") || !strings.Contains(got[0], follows) {
				t.Errorf("%s: %s: %q", mode, name, got)
			}
		}
		fit := fitEnvironment([]string{name + "=x"})
		if _, left := lookUp(fit, name); left || isFit(append(fit, name+"=x")) || !isFit(fit) {
			t.Errorf("%s stays: %q", name, fit)
		}
		if got := objections(Require, []string{name + "="}); got != nil {
			t.Errorf("%s empty: %q", name, got)
		}
	}
}

func TestMode(t *testing.T) {
	for _, mode := range []Mode{Require, Prefer, Off} {
		text, err := mode.MarshalText()
		var got Mode
		if err := got.UnmarshalText(text); err != nil || got != mode {
			t.Errorf("%s: %q, %v", mode, got, err)
		}
		if err != nil {
			t.Error(err)
		}
	}
	var m Mode
	if l, err := Enter(Mode("on"), Needs{}); err == nil || l != nil {
		t.Error("an unknown mode is none")
	}
	for _, text := range []string{"", "on", "Require"} {
		if err := m.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "require, prefer or off") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
