package flows

import "golang.org/x/sys/unix"

const (
	realTime  = 10  // priority among real-time threads; any is above all others
	mostShare = -20 // nice
)

// takeRank gives the calling thread the highest rank that it can have.
func takeRank() Rank {
	fifo := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: realTime}
	if unix.SchedSetAttr(0, fifo, 0) == nil {
		return RankRealTime
	}
	if unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), mostShare) == nil {
		return RankNice
	}
	return RankNone
}
