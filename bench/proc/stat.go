package proc

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// clockTick is the unit of times in /proc: USER_HZ is 100 on every system that
// Go runs on (proc(5), sysconf(_SC_CLK_TCK)).
const clockTick = time.Second / 100

// Fields of /proc/PID/stat, counted from the one after the command's name.
const (
	userField   = 11 // utime, field 14 of proc(5)
	systemField = 12 // stime, field 15
)

var errStat = errors.New("/proc/PID/stat is not as proc(5) says")

// parseStat returns the sum of user and system time of a process. Its command
// may have spaces and parentheses in it, so fields are counted from the last one.
func parseStat(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errStat
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= systemField {
		return 0, errStat
	}
	var ticks uint64
	for _, field := range fields[userField : systemField+1] {
		n, err := strconv.ParseUint(string(field), 10, 63)
		if err != nil {
			return 0, errStat
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}
