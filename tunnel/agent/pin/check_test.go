package pin

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

var (
	phone  = auth.DeviceID{1}
	laptop = auth.DeviceID{2}
	start  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

const right, wrong = "493817", "493818"

func open(t testing.TB, path string) *Checker {
	t.Helper()
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cheapPIN sets a PIN that is quick to check.
func cheapPIN(t testing.TB, path, pin string) {
	t.Helper()
	h := hashed{Algorithm: algorithm, Memory: 8, Time: 1, Threads: 1, Salt: make([]byte, saltSize)}
	rand.Read(h.Salt)
	h.Hash = h.of(pin)
	data, err := json.Marshal(h)
	if err == nil {
		err = statefile.Write(path, data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// newCase returns a router with the PIN right, and its path.
func newCase(t testing.TB) (*Checker, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pin.json")
	cheapPIN(t, path, right)
	return open(t, path), path
}

func wantWrong(t *testing.T, c *Checker, device auth.DeviceID, at time.Time, times int) {
	t.Helper()
	for i := range times {
		if err := c.Check(device, wrong, at); !errors.Is(err, ErrWrong) {
			t.Fatalf("wrong PIN number %d: %v", i+1, err)
		}
	}
}

// wantLocked checks that even the right PIN is refused until then.
func wantLocked(t *testing.T, c *Checker, device auth.DeviceID, at, until time.Time) {
	t.Helper()
	var locked *LockedError
	if err := c.Check(device, right, at); !errors.As(err, &locked) || !locked.Until.Equal(until) {
		t.Fatalf("at %v: %v, want a lock until %v", at, err, until)
	}
}

func wantRight(t *testing.T, c *Checker, device auth.DeviceID, at time.Time) {
	t.Helper()
	if err := c.Check(device, right, at); err != nil {
		t.Fatalf("the right PIN at %v: %v", at, err)
	}
}

// TestLocks: 15 minutes, an hour, then a day each; each lock outlives a
// restart, and the right PIN clears all.
func TestLocks(t *testing.T) {
	c, path := newCase(t)
	at := start
	for _, lock := range []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour, 24 * time.Hour} {
		wantWrong(t, c, phone, at, 5)
		wantLocked(t, c, phone, at, at.Add(lock))
		c = open(t, path)
		wantLocked(t, c, phone, at.Add(lock-time.Second), at.Add(lock))
		at = at.Add(lock)
	}
	wantRight(t, c, phone, at)
	wantWrong(t, c, phone, at, 5)
	wantLocked(t, c, phone, at, at.Add(15*time.Minute))
	wantRight(t, c, laptop, at)
}

// TestRestartForgetsNoTry: a program that ends between two tries has counted both.
func TestRestartForgetsNoTry(t *testing.T) {
	c, path := newCase(t)
	for range 5 {
		wantWrong(t, c, phone, start, 1)
		c = open(t, path)
	}
	wantLocked(t, c, phone, start, start.Add(15*time.Minute))
}

// TestRightClears: four wrong ones, a right one, and so on for ever; over a restart, too.
func TestRightClears(t *testing.T) {
	c, path := newCase(t)
	for i := range 12 {
		at := start.Add(time.Duration(i) * time.Hour)
		wantWrong(t, c, phone, at, 4)
		wantRight(t, c, phone, at)
		c = open(t, path)
	}
}

// TestTogether: thirty wrong PINs in any hour, whoever sends them, and right ones are not among them.
func TestTogether(t *testing.T) {
	c, path := newCase(t)
	for i := range 30 {
		at := start.Add(time.Duration(i) * time.Minute)
		wantRight(t, c, laptop, at)
		wantWrong(t, c, auth.DeviceID{9, byte(i)}, at, 1)
	}
	for _, minute := range []int{30, 59} {
		c = open(t, path)
		wantLocked(t, c, laptop, start.Add(time.Duration(minute)*time.Minute), start.Add(time.Hour))
	}
	wantWrong(t, c, phone, start.Add(time.Hour), 1) // the first of the thirty is an hour old
	wantLocked(t, c, phone, start.Add(time.Hour), start.Add(61*time.Minute))
}

// TestPINReplaced: the program that set another PIN need not tell the one that checks.
func TestPINReplaced(t *testing.T) {
	c, path := newCase(t)
	wantWrong(t, c, phone, start, 5)
	wantLocked(t, c, phone, start, start.Add(15*time.Minute))
	cheapPIN(t, path, "another PIN")
	if err := c.Check(phone, right, start); !errors.Is(err, ErrWrong) {
		t.Errorf("the old PIN: %v", err)
	}
	if err := c.Check(phone, "another PIN", start); err != nil {
		t.Errorf("the new PIN: %v", err)
	}
}

func wantSet(t *testing.T, c *Checker, what string, want, wantErr bool) {
	t.Helper()
	if set, err := c.IsSet(); set != want || (err != nil) != wantErr {
		t.Errorf("%s: set is %t, %v", what, set, err)
	}
}

// TestIsSet: it sees what another program has done to the PIN, and tells once that it can't be read.
func TestIsSet(t *testing.T) {
	c, path := newCase(t)
	for _, what := range []string{"set", "still set"} {
		wantSet(t, c, what, true, false)
	}
	if err := statefile.Write(path, []byte("{")); err != nil {
		t.Fatal(err)
	}
	wantSet(t, c, "damaged", false, true)
	wantSet(t, c, "still damaged", false, false)
	cheapPIN(t, path, right)
	wantSet(t, c, "mended", true, false)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	wantSet(t, c, "not private", false, true)
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	wantSet(t, c, "removed", false, false)
	cheapPIN(t, path, right)
	wantSet(t, c, "set again", true, false)
}

// TestIsSetIsQuick: it reads the file once, and does not wait for a check.
func TestIsSetIsQuick(t *testing.T) {
	c, _ := newCase(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	wantSet(t, c, "while a PIN is checked", true, false)
	if n := testing.AllocsPerRun(20, func() { c.IsSet() }); n > 5 {
		t.Errorf("%v allocations: the file is read again", n)
	}
}

// TestForget: nothing of the device is left on the disk, and the count of all devices stays.
func TestForget(t *testing.T) {
	c, path := newCase(t)
	wantWrong(t, c, phone, start, 5)
	wantWrong(t, c, laptop, start, 1)
	for range 2 {
		if err := c.Forget(phone); err != nil {
			t.Fatal(err)
		}
	}
	stored, _, err := loadTries(triesPath(path))
	if err != nil || len(stored.devices) != 1 || stored.devices[laptop].Wrong != 1 || len(stored.recent) != 6 {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	wantRight(t, c, phone, start)
}

// TestForgetOfAnOldPIN: a new PIN leaves no device behind that Forget would not find.
func TestForgetOfAnOldPIN(t *testing.T) {
	c, path := newCase(t)
	wantWrong(t, c, phone, start, 5)
	cheapPIN(t, path, right)
	wantRight(t, c, laptop, start)
	if err := c.Forget(phone); err != nil {
		t.Fatal(err)
	}
	if stored, _, err := loadTries(triesPath(path)); err != nil || len(stored.devices) != 0 {
		t.Errorf("stored: %+v, %v", stored, err)
	}
}

// TestManyAtOnce: of wrong PINs that come together, five are looked at.
func TestManyAtOnce(t *testing.T) {
	c, _ := newCase(t)
	var guessed atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if errors.Is(c.Check(phone, wrong, start), ErrWrong) {
					guessed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if guessed.Load() != triesPerLock {
		t.Errorf("%d guesses", guessed.Load())
	}
}

// TestBusy: who comes when all seats are taken is refused at once, and not counted.
func TestBusy(t *testing.T) {
	c, _ := newCase(t)
	for range maxChecks {
		c.seats <- struct{}{}
	}
	for range 10 {
		if err := c.Check(phone, wrong, start); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	}
	<-c.seats
	wantWrong(t, c, phone, start, 4)
	wantRight(t, c, phone, start)
}

// TestErrorsSayNoPIN looks for either PIN in everything that Check says.
func TestErrorsSayNoPIN(t *testing.T) {
	c, path := newCase(t)
	for i := range 8 {
		if i == 7 {
			cheapPIN(t, path, right)
			if err := statefile.Write(path, []byte(`{"salt":"`+right+`"}`)); err != nil {
				t.Fatal(err)
			}
		}
		err := c.Check(phone, wrong, start)
		if err == nil || strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), right) {
			t.Errorf("said: %v", err)
		}
	}
}

// BenchmarkCheck measures one check with the real parameters.
func BenchmarkCheck(b *testing.B) {
	path := filepath.Join(b.TempDir(), "pin.json")
	if err := Set(path, right, rand.Reader); err != nil {
		b.Fatal(err)
	}
	c := open(b, path)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(phone, right, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
