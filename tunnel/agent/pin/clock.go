package pin

import "time"

// clock is the time that locks go by. It never goes back; see the package's doc.
type clock struct {
	at   time.Time // never earlier than it was stored
	seen time.Time // the argument of the last tick, with its monotonic reading; zero since the start
}

// tick advances the clock to now, which carries the monotonic reading of time.Now.
func (c *clock) tick(now time.Time) {
	switch passed := now.Sub(c.seen); {
	case c.seen.IsZero():
		if now.After(c.at) {
			c.at = now.Round(0).UTC() // without the monotonic reading: it has counted since it was stored
		}
	case passed > 0:
		c.at = c.at.Add(passed)
	}
	c.seen = now
}
