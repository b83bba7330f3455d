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

const year = 365 * 24 * time.Hour

func open(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(path, year)
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
		Reasons: []string{"wifi_missing", "score_low"}, Service: "ssh", By: laptop,
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
		At: time.Now(), Device: phone, Event: "my net", Verdict: "Home-WLAN", Service: "ssh://10.0.0.7",
		Reasons: []string{"wifi_missing", "wifi=Home", "48.137,11.575", strings.Repeat("a", 33), ""},
	}, Entry{At: time.Now(), Event: Shared, Service: auth.AllServices})
	closeJournal(t, j)
	got := open(t, path).Entries(nobody, time.Time{})
	want := Entry{At: got[0].At, Device: phone, Event: "?", Verdict: "?", Service: "?", Times: 1,
		Reasons: []string{"wifi_missing", "?", "?", "?", "?"}}
	if !reflect.DeepEqual(got[0], want) || got[1].Service != "*" {
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

// TestKeep: what is too old goes when the journal is opened, when it is pruned,
// and by itself, within a day.
func TestKeep(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		const keep = 48 * time.Hour
		old := open(t, path)
		begin := time.Now()
		add(t, old, denied(phone, begin.Add(-keep-time.Second)), denied(laptop, begin.Add(-keep+time.Hour)), denied(phone, begin))
		closeJournal(t, old)
		j, err := Open(path, keep)
		if err != nil || len(j.Entries(nobody, time.Time{})) != 2 {
			t.Fatal(j, err)
		}
		synctest.Wait()
		if n := len(onDisk(t, path)); n != 2 {
			t.Errorf("opened: %d on the disk", n)
		}
		if err := j.Prune(begin.Add(2 * time.Hour)); err != nil || len(onDisk(t, path)) != 1 {
			t.Errorf("pruned: %v, %d on the disk", err, len(onDisk(t, path)))
		}
		time.Sleep(keep + time.Hour)
		add(t, j, denied(laptop, time.Now()))
		closeJournal(t, j)
		if left := onDisk(t, path); len(left) != 1 || left[0].Device != laptop {
			t.Errorf("left: %+v", left)
		}
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

func TestLongestLine(t *testing.T) {
	long := strings.Repeat("x", maxCode+1)[:maxCode]
	e := Entry{At: time.Now(), Device: phone, Event: Event(long), Verdict: long, Service: long, Score: math.MinInt, Needed: math.MinInt, By: laptop}
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
		if _, err := Open(path, year); err == nil || !strings.Contains(err.Error(), path) {
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
