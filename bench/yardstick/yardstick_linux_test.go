package yardstick

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

// TestMeasure: both take some time, on whatever machine.
func TestMeasure(t *testing.T) {
	y, err := Measure()
	if err != nil || y.Crypto < 10*time.Microsecond || y.Crypto > 100*time.Millisecond || y.Datagram < 100*time.Nanosecond || y.Datagram > time.Millisecond {
		t.Errorf("%+v, %v", y, err)
	}
	t.Logf("%+v", y)
}

// TestCPUTime: waiting costs nothing; what all do at once is as much as one does.
func TestCPUTime(t *testing.T) {
	waited, err := onAll(func() error { <-time.After(20 * time.Millisecond); return nil })
	if err != nil || waited > 10*time.Millisecond {
		t.Errorf("waiting took %v, %v", waited, err)
	}
	broken := errors.New("no luck")
	if _, err := onAll(func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	const busy = 20 * time.Millisecond
	took, err := onAll(func() error {
		for begun, _ := threadCPU(); ; {
			if now, err := threadCPU(); err != nil || now-begun > busy {
				return err
			}
		}
	})
	if err != nil || took < busy || took > 2*busy {
		t.Errorf("%d processors at it: %v, %v", runtime.GOMAXPROCS(0), took, err)
	}
}
