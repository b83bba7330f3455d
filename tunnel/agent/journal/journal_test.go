package journal

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

var (
	phone  = auth.DeviceID{1}
	laptop = auth.DeviceID{2}
	nobody = auth.DeviceID{}
)

func open(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func add(t testing.TB, j *Journal, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
	}
}

func closeJournal(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "journal.jsonl") }

// onDisk returns the lines of the file, which must be good ones.
func onDisk(t testing.TB, path string) []record {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records, damaged := parse(data)
	if damaged > 0 {
		t.Fatalf("%d damaged lines in\n%s", damaged, data)
	}
	return records
}

// denied is an entry with all fields.
func denied(device auth.DeviceID, at time.Time) Entry {
	return Entry{
		At: at, Device: device, Event: Opened, Verdict: "step_up", Score: 3, Needed: 5,
		Reasons: []string{"wifi_missing", "score_low"}, By: laptop,
	}
}

func TestAddAndReopen(t *testing.T) {
	path, at := newPath(t), time.Now()
	j := open(t, path)
	add(t, j, denied(phone, at), Entry{At: at, Device: laptop, Event: Paired}, Entry{At: at.Add(-time.Hour), Event: Moved})
	before := j.Entries(nobody, time.Time{})
	closeJournal(t, j)
	if err := j.Add(denied(phone, at)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	j = open(t, path)
	defer closeJournal(t, j)
	if got := j.Entries(nobody, time.Time{}); len(got) != 3 || !reflect.DeepEqual(got, before) {
		t.Errorf("got %+v\nwant %+v", got, before)
	}
	want := denied(phone, at.UTC().Truncate(time.Second))
	want.Times = 1
	if got := j.Entries(phone, time.Time{}); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := j.Entries(nobody, at.Truncate(time.Second)); len(got) != 2 {
		t.Errorf("since now: %+v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestEntriesAreCopies: who changes what it was given, or gave, changes nothing here.
func TestEntriesAreCopies(t *testing.T) {
	j := open(t, newPath(t))
	defer closeJournal(t, j)
	given := denied(phone, time.Now())
	given.ByForgotten = true // which is not the caller's to say
	add(t, j, given)
	given.Reasons[0] = "changed"
	j.Entries(phone, time.Time{})[0].Reasons[1] = "changed"
	if j.Entries(phone, time.Time{})[0].ByForgotten {
		t.Error("the caller's ByForgotten was taken")
	}
	if got := j.Entries(phone, time.Time{})[0].Reasons; got[0] != "wifi_missing" || got[1] != "score_low" {
		t.Errorf("got %v", got)
	}
}

// TestNoValues: what is no code may be a value, and is not written.
func TestNoValues(t *testing.T) {
	path := newPath(t)
	j := open(t, path)
	add(t, j, Entry{
		At: time.Now(), Device: phone, Event: "my net", Verdict: "Home-WLAN",
		Reasons: []string{"wifi_missing", "wifi=Home", "48.137,11.575", strings.Repeat("a", 33), ""},
	}, Entry{At: time.Now(), Event: "*"})
	closeJournal(t, j)
	got := open(t, path).Entries(nobody, time.Time{})
	want := Entry{At: got[0].At, Device: phone, Event: "?", Verdict: "?", Times: 1,
		Reasons: []string{"wifi_missing", "?", "?", "?", "?"}}
	if !reflect.DeepEqual(got[0], want) || got[1].Event != "?" {
		t.Errorf("got %+v", got)
	}
}

// TestMerge: a repetition is counted, unless something else of that device came between.
func TestMerge(t *testing.T) {
	path, at := newPath(t), time.Now().Truncate(time.Second)
	j := open(t, path)
	j.last = at // nothing is written yet
	other := denied(phone, at)
	other.Score++
	add(t, j, denied(phone, at), denied(laptop, at), denied(phone, at.Add(59*time.Second)), // the second of phone
		denied(phone, at.Add(60*time.Second)), denied(phone, at), // too late, and too early
		other, denied(phone, at))
	closeJournal(t, j)
	var times []int
	for _, e := range open(t, path).Entries(phone, time.Time{}) {
		times = append(times, e.Times)
	}
	if !reflect.DeepEqual(times, []int{2, 1, 1, 1, 1}) {
		t.Errorf("got %v", times)
	}
}

// TestWritesAreFew: the first entry is written at once, what follows once a minute.
func TestWritesAreFew(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := open(t, path)
		defer closeJournal(t, j)
		begin := time.Now()
		writes, size := 0, int64(-1)
		for second := range 180 {
			for range 100 {
				add(t, j, denied(phone, time.Now()), denied(laptop, time.Now()))
			}
			synctest.Wait()
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if second == 0 && len(onDisk(t, path)) == 0 {
				t.Error("the first entry is not written at once")
			}
			if info.Size() != size {
				writes, size = writes+1, info.Size()
			}
			time.Sleep(time.Second)
		}
		if passed := time.Since(begin); writes != 3 || passed != 3*time.Minute {
			t.Errorf("%d writes in %v", writes, passed)
		}
		sum := 0
		for _, e := range j.Entries(nobody, time.Time{}) {
			sum += e.Times
		}
		if n := len(j.Entries(nobody, time.Time{})); sum != 180*200 || n > 20 {
			t.Errorf("%d entries stand for %d", n, sum)
		}
	})
}

// TestQuietMinute: what waits is written without another Add.
func TestQuietMinute(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		j := open(t, path)
		add(t, j, denied(phone, time.Now()))
		synctest.Wait()
		add(t, j, Entry{At: time.Now(), Device: phone, Event: Confirmed})
		time.Sleep(writeEvery - time.Second)
		synctest.Wait()
		if n := len(onDisk(t, path)); n != 1 {
			t.Errorf("%d entries within the minute", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(onDisk(t, path)); n != 2 {
			t.Errorf("%d entries after it", n)
		}
	})
}

func TestForget(t *testing.T) {
	path, at := newPath(t), time.Now()
	j := open(t, path)
	add(t, j, denied(phone, at), denied(laptop, at), Entry{At: at, Device: laptop, Event: Paired}, Entry{At: at, Device: phone, Event: Paired, By: phone})
	if _, err := j.Forget(nobody); err == nil {
		t.Error("the zero ID is no device")
	}
	if n, err := j.Forget(laptop); n != 2 || err != nil {
		t.Errorf("erased %d, %v", n, err)
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), laptop.String()) || !strings.Contains(string(data), phone.String()) {
		t.Errorf("%v\n%s", err, data)
	}
	left := j.Entries(nobody, time.Time{})
	if len(left) != 2 || left[0].By != nobody || !left[0].ByForgotten || left[1].By != phone || left[1].ByForgotten {
		t.Errorf("left: %+v", left)
	}
	if n, err := j.Forget(laptop); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	closeJournal(t, j)
	if again := open(t, path).Entries(nobody, time.Time{}); !reflect.DeepEqual(again, left) {
		t.Errorf("read again: %+v", again)
	}
}

// TestKeep: what is too old goes when the journal is pruned, and not before: a router may have started with
// a clock that is far ahead.
func TestKeep(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		old := open(t, path)
		add(t, old, denied(phone, begin.Add(-time.Hour)), denied(laptop, begin), denied(phone, begin))
		closeJournal(t, old)
		time.Sleep(50 * 365 * 24 * time.Hour)
		j := open(t, path)
		add(t, j, denied(laptop, time.Now()))
		if n := len(j.Entries(nobody, time.Time{})); n != 4 {
			t.Errorf("%d entries are left by a clock that is ahead", n)
		}
		if err := j.Prune(begin); err != nil || len(onDisk(t, path)) != 3 {
			t.Errorf("pruned: %v, %d on the disk", err, len(onDisk(t, path)))
		}
		if err := j.Prune(time.Now()); err != nil || len(onDisk(t, path)) != 1 {
			t.Errorf("pruned again: %v, %d on the disk", err, len(onDisk(t, path)))
		}
		closeJournal(t, j)
	})
}

// TestMaxSize: a flood of entries that can't be merged costs the oldest, and
// neither disk nor memory beyond the limit.
func TestMaxSize(t *testing.T) {
	path := newPath(t)
	j := open(t, path)
	begin := time.Now()
	const flood = 3000
	for i := range flood {
		e := denied(phone, begin)
		e.Score = i
		add(t, j, e)
		if j.mu.Lock(); j.size > MaxSize {
			t.Fatalf("%d bytes after %d entries", j.size, i)
		}
		j.mu.Unlock()
	}
	closeJournal(t, j)
	info, err := os.Stat(path)
	if err != nil || info.Size() > MaxSize || info.Size() < sizeAfterDrop-1<<10 {
		t.Errorf("%v, %v", info.Size(), err)
	}
	left := onDisk(t, path)
	for i, r := range left {
		if want := flood - len(left) + i; r.Score != want {
			t.Fatalf("entry %d is number %d, want %d", i, r.Score, want)
		}
	}
}

// TestFloodOfOne: who has stolen a key can't wash out what is written about others, nor what others have done.
func TestFloodOfOne(t *testing.T) {
	path, at := newPath(t), time.Now()
	j := open(t, path)
	shared := Entry{At: at, Event: Shared, By: laptop}
	add(t, j, denied(laptop, at), denied(laptop, at.Add(time.Hour)), shared)
	for i := range 5000 {
		e := denied(phone, at)
		e.Score = i
		add(t, j, e, Entry{At: at.Add(time.Duration(i) * time.Minute), Event: Unshared, By: phone})
	}
	closeJournal(t, j)
	j = open(t, path)
	defer closeJournal(t, j)
	all := j.Entries(nobody, time.Time{})
	if n := len(j.Entries(laptop, time.Time{})); n != 2 || all[0].Device != laptop || all[2].Event != Shared || all[2].By != laptop {
		t.Errorf("of the other device %d are left, before %+v", n, all[:3])
	}
	if last := j.Entries(phone, time.Time{}); last[len(last)-1].Score != 4999 {
		t.Errorf("the last entry of who has flooded: %+v", last[len(last)-1])
	}
}

// TestFairShare: what all have at most fits, and nobody has less than he could.
func TestFairShare(t *testing.T) {
	for _, test := range []struct {
		sizes      []int
		room, want int
	}{
		{[]int{100}, 60, 60}, {[]int{10, 100}, 60, 50}, {[]int{10, 20, 30}, 60, math.MaxInt}, {[]int{50, 50, 50}, 60, 20}, {[]int{1, 40, 90}, 60, 29},
	} {
		got, sum := fairShare(test.sizes, test.room), 0
		for _, size := range test.sizes {
			sum += min(size, got)
		}
		if got != test.want || sum > test.room {
			t.Errorf("%v into %d: %d, want %d", test.sizes, test.room, got, test.want)
		}
	}
}

func TestLongestLine(t *testing.T) {
	long := strings.Repeat("x", maxCode+1)[:maxCode]
	e := Entry{At: time.Now(), Device: phone, Event: Event(long), Verdict: long, Score: math.MinInt, Needed: math.MinInt, By: laptop}
	for range 100 {
		e.Reasons = append(e.Reasons, long)
	}
	if r, err := newRecord(e.clean()); err != nil || len(r.line) > 1<<10 {
		t.Errorf("%d bytes, %v", len(r.line), err)
	}
	if _, err := newRecord(Entry{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}.clean()); err == nil {
		t.Error("the year 10000 can be written")
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"a link":      func(path string) error { os.WriteFile(path+"x", nil, 0o600); return os.Symlink(path+"x", path) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"public":      func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"too large":   func(path string) error { return os.WriteFile(path, make([]byte, statefile.MaxSize+1), 0o600) },
	} {
		path := newPath(t)
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReplacedWhileOpen: a link, or anything that was not left there by us, is replaced and not followed.
func TestReplacedWhileOpen(t *testing.T) {
	path := newPath(t)
	j := open(t, path)
	add(t, j, denied(phone, time.Now()))
	if err := j.flush(); err != nil {
		t.Fatal(err)
	}
	target := path + "x"
	if err := errors.Join(os.Rename(path, target), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
	add(t, j, denied(laptop, time.Now()))
	closeJournal(t, j)
	if mine, theirs := len(onDisk(t, path)), len(onDisk(t, target)); mine != 2 || theirs != 1 {
		t.Errorf("%d entries here, %d there", mine, theirs)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Error(info, err)
	}
}

// TestIntact: the file is what was left there, and nothing that only has its size.
func TestIntact(t *testing.T) {
	f := file{path: newPath(t)}
	if err := f.replace([]byte("line\n")); err != nil || !f.intact() {
		t.Fatalf("%v, intact: %t", err, f.intact())
	}
	if err := os.Truncate(f.path, 4); err != nil || f.intact() {
		t.Errorf("%v, intact though cut", err)
	}
	if err := errors.Join(os.Remove(f.path), os.Symlink("a.txt", f.path)); err != nil || f.intact() { // five bytes, too
		t.Errorf("%v, intact though a link", err)
	}
}

func TestConcurrent(t *testing.T) {
	path := newPath(t)
	j := open(t, path)
	var all sync.WaitGroup
	for i := range 8 {
		device := auth.DeviceID{byte(i + 1)}
		all.Go(func() {
			for n := range 50 {
				e := denied(device, time.Now())
				e.Score = n
				j.Add(e)
				j.Entries(device, time.Time{})
				if n%10 == 9 {
					j.flush()
				}
			}
			if i%2 == 0 {
				j.Forget(device)
			}
		})
	}
	all.Wait()
	closeJournal(t, j)
	if n := len(onDisk(t, path)); n != 4*50 {
		t.Errorf("%d entries", n)
	}
}
