package keyfile

import (
	"path/filepath"
	"testing"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.key")
	id, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := statefile.Read(path) // which refuses a file that others may read
	if err != nil {
		t.Fatal(err)
	}
	again, err := auth.ParseIdentity(pem)
	if err != nil || again.RouterID() != id.RouterID() {
		t.Fatalf("another identity came back: %v", err)
	}
	if _, err := Create(filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("no error without a folder")
	}
}
