package udpio

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestBusyPoll: what comes soon is found by looking, and nobody has to be woken for it;
// when nothing comes, the read waits as any other.
func TestBusyPoll(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	r, in := server.NewReader(1), NewBatch(1)
	r.BusyPoll(patience)
	got := make(chan error, 1)
	go func() {
		_, err := r.ReadBatch(in)
		got <- err
	}()
	send(t, client, message(at(server, "127.0.0.1"), 10, 0))
	if err := <-got; err != nil || in[0].N != 10 {
		t.Errorf("%d bytes, %v", in[0].N, err)
	}
	if server.arrivals.watched {
		t.Error("somebody was to be woken")
	}
	r.BusyPoll(time.Millisecond)
	server.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	if _, err := r.ReadBatch(in); !errors.Is(err, os.ErrDeadlineExceeded) || !server.arrivals.watched {
		t.Errorf("nothing came: %v; to be woken: %t", err, server.arrivals.watched)
	}
}
