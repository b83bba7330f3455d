package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadme: every figure that it promises is there, and every scenario has a section.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range regexp.MustCompile(`@[A-Z]+@`).FindAllString(string(text), -1) {
		t.Errorf("%s stands for a table that is missing", left)
	}
	for _, s := range scenarios() {
		if !strings.Contains(string(text), "\n## "+s.Name+": ") {
			t.Errorf("there is no section about %s", s.Name)
		}
	}
}
