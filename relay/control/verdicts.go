package control

import (
	"sync/atomic"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// occasion is when a device's environment was judged.
type occasion uint8

const (
	atOpen occasion = iota // of a session
	atMove                 // of its device to another network
	occasions
)

func (o occasion) String() string { return [occasions]string{"open", "move"}[o] }

// verdictNone stands for the verdict of a grant that demands nothing.
const (
	verdictNone = ecv.Allow + 1
	verdicts    = verdictNone + 1
)

// Verdicts counts what the relay made of the environments of devices.
type Verdicts struct {
	times [occasions][verdicts]atomic.Uint64
}

func (v *Verdicts) count(at occasion, verdict ecv.Verdict) { v.times[at][verdict].Add(1) }

// Each calls f with every verdict and occasion, also those that have not
// occurred. The verdict "none" is that of a grant without a policy.
func (v *Verdicts) Each(f func(verdict, at string, times uint64)) {
	for at := range occasions {
		for verdict := range verdicts {
			name := verdict.String()
			if verdict == verdictNone {
				name = "none"
			}
			f(name, at.String(), v.times[at][verdict].Load())
		}
	}
}
