package device

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/tunnel"
)

// introduceTime is how long the first session may take.
const introduceTime = 15 * time.Second

// Introduce makes the first session with a router that has just been paired. A
// router that judges surroundings learns those of the first session within an
// hour of the pairing, so it should be made from where the device belongs. When
// it fails the pairing is good all the same. It returns the router's word, which
// is about what it knew before.
func (s *Store) Introduce(ctx context.Context, r *Router) (tunnel.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, introduceTime)
	defer cancel()
	link := s.Link(r)
	defer link.Close()
	t, err := link.Tunnel(ctx)
	if err != nil {
		return tunnel.Verdict{}, err
	}
	verdict, err := t.Verdict(ctx)
	if err == nil {
		err = link.Kept()
	}
	return verdict, err
}
