package flows

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	realTime  = 10  // priority among real-time threads; any is above all others
	mostShare = -20 // nice
)

// takeRank gives the calling thread the highest rank that it can have. Real time is
// for all threads of the process: Go's scheduler waits for another thread by
// yielding, which lets nobody run who ranks below, so that a thread which alone is
// preferred may wait for ever.
func takeRank() Rank {
	if allRealTime() == nil {
		return RankRealTime
	}
	if unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), mostShare) == nil {
		return RankNice
	}
	return RankNone
}

// allRealTime makes every thread of the process one that takes turns with others of
// its priority. Those that they start inherit it; one that is started meanwhile is
// found in the second round.
func allRealTime() error {
	turns := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: realTime}
	for range 2 {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetAttr(tid, turns, 0); err != nil && err != unix.ESRCH {
				return err
			}
		}
	}
	return nil
}
