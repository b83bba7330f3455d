package drive

import (
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	const text = "# lockdown: off is not for this\nlockdown: require # a word\nlimits:\n  routers: 5\n# certificate: x.pem\n"
	for key, want := range map[string]string{
		"lockdown": "lockdown: new\n", "routers": "  routers: new\n", "certificate": "\ncertificate: new\n",
	} {
		got, err := set(text, key, "new")
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v\n%s", key, err, got)
		}
	}
	if _, err := set(text, "unheard_of", "new"); err == nil {
		t.Error("a key is set that there is not")
	}
}

// TestLines: lines are whole, in whatever pieces they come.
func TestLines(t *testing.T) {
	l := newLines()
	_, found, changed := l.find("ready ")
	if found {
		t.Fatal("found before it was printed")
	}
	for _, piece := range []string{"url x\nre", "ady 127.0.0.1:1", "\nleak a: done\nleak b"} {
		l.Write([]byte(piece))
	}
	<-changed
	if line, found, _ := l.find("ready "); !found || line != "ready 127.0.0.1:1" {
		t.Errorf("%q, %v", line, found)
	}
	if got := l.all("leak "); len(got) != 1 || got[0] != "leak a: done" {
		t.Errorf("%q", got)
	}
}
