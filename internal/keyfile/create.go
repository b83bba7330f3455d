package keyfile

import (
	"crypto/rand"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// Create makes an identity and writes it to the file at path. The caller has
// seen that there is none yet: a file that is there is replaced.
func Create(path string) (*auth.Identity, error) {
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return nil, err
	}
	pem, err := id.MarshalPEM()
	if err != nil {
		return nil, err
	}
	return id, statefile.Write(path, pem)
}
