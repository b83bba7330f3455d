package agent

import (
	"crypto/rand"

	"github.com/lethe-relay/lethe/tunnel/agent/pin"
)

// SetPIN makes a PIN the router's. An agent that runs asks for it from then on,
// and has forgotten all wrong tries. A PIN that is too easy gives [pin.ErrWeak].
func (c *Config) SetPIN(entered string) error { return pin.Set(c.path(pinFile), entered, rand.Reader) }

// RemovePIN takes the router's PIN away; [pin.ErrNotSet] if it has none.
func (c *Config) RemovePIN() error { return pin.Remove(c.path(pinFile)) }
