package journal

import (
	"time"
)

// armLocked sees to it that what is new gets written, now or when a minute has
// passed since the last time. The goroutine of the timer ends after one write.
func (j *Journal) armLocked() {
	if j.timer == nil && !j.closed && j.newLocked() {
		j.timer = time.AfterFunc(max(0, writeEvery-time.Since(j.last)), j.flushInBackground)
	}
}

// newLocked tells whether the file lacks something.
func (j *Journal) newLocked() bool { return j.stale || j.written < len(j.records) }

func (j *Journal) flushInBackground() {
	err := j.flush()
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.err = err
	}
}

// flush writes what the file lacks. After an error it arms the timer once more,
// unless the journal is closed.
func (j *Journal) flush() error {
	j.disk.Lock()
	defer j.disk.Unlock()
	j.mu.Lock()
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	if !j.newLocked() {
		j.mu.Unlock()
		return nil
	}
	lines, all := j.takeLocked()
	j.last = time.Now()
	j.mu.Unlock()

	err := j.write(lines, all)
	if err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.stale = true
		j.armLocked()
	}
	return err
}

func (j *Journal) write(lines []byte, all bool) error {
	if all {
		return j.file.replace(lines)
	}
	return j.file.append(lines)
}

// takeLocked returns what the file lacks, or all, with which to replace it. To
// its records nothing is added from here on.
func (j *Journal) takeLocked() (lines []byte, all bool) {
	from := j.written
	if all = j.stale || !j.file.intact(); all {
		from = 0
	}
	for _, r := range j.records[from:] {
		lines = append(lines, r.line...)
	}
	j.written, j.stale = len(j.records), false
	return lines, all
}
