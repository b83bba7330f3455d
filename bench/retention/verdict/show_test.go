package verdict

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestText compares a report that passes and one that fails with what they looked
// like when somebody last read them. To take new ones: LETHE_UPDATE=1 go test
func TestText(t *testing.T) {
	failed := sound()
	failed.Scans[1].Counts[0].Found = 3
	failed.Scans[1].Places = []string{`canary at 0x10 of anonymous memory`}
	failed.Detectors[1].Findings = []string{"a datagram was changed"}
	for name, r := range map[string]*Report{"pass": sound(), "fail": failed} {
		r.Judge(names())
		var got bytes.Buffer
		if err := r.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".txt")
		if os.Getenv("LETHE_UPDATE") != "" {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s:\n%s", file, got.String())
		}
	}
}

// TestPicture: a picture can be drawn of every verdict, of an audit that came to
// nothing, too; and what was found shows.
func TestPicture(t *testing.T) {
	pass, found, nothing := sound(), sound(), &Report{}
	found.Scans[1].Counts[0].Found = 30
	sizes := make(map[string]int)
	for name, r := range map[string]*Report{"pass": pass, "found": found, "nothing": nothing} {
		r.Judge(names())
		var out bytes.Buffer
		if err := r.WritePNG(&out); err != nil {
			t.Fatal(name, err)
		}
		picture, err := png.Decode(&out)
		if err != nil {
			t.Fatal(name, err)
		}
		wrong := colours().wrong
		r0, g0, b0, _ := wrong.RGBA()
		for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
			for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
				if r1, g1, b1, _ := picture.At(x, y).RGBA(); r1 == r0 && g1 == g0 && b1 == b0 {
					sizes[name]++
				}
			}
		}
	}
	if sizes["pass"] != 0 || sizes["found"] == 0 {
		t.Errorf("pixels in the colour of what was found: %v", sizes)
	}
}
