package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// The agent answers its own commands on agent.sock: one JSON object in, one or
// more out, each on a line. Who may open the socket may do all that the agent
// can; its mode is 0600. "pair" is answered here, the rest in manage.go.

const adminTimeout = 10 * time.Second // for a request to arrive whole

// PairingEvent is what 'pair' answers: first an offer, then how it ended.
type PairingEvent struct {
	URI     string     `json:"uri,omitempty"`     // of the offer
	Expires *time.Time `json:"expires,omitempty"` // of the offer
	Paired  bool       `json:"paired,omitempty"`  // a device has paired
	Device  string     `json:"device,omitempty"`  // its name
	Error   string     `json:"error,omitempty"`
}

func (a *Agent) serveAdmin(ctx context.Context) {
	for {
		conn, err := a.admin.Accept()
		if err != nil {
			return
		}
		a.streams.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			a.answer(conn)
		})
	}
}

func (a *Agent) answer(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(adminTimeout))
	var request service.ManageRequest
	if err := json.NewDecoder(conn).Decode(&request); err != nil {
		return
	}
	conn.SetReadDeadline(time.Time{})
	out := json.NewEncoder(conn)
	if request.Do != "pair" {
		out.Encode(a.administer(request))
		return
	}
	offer, err := a.pairing.open(time.Now())
	if err != nil {
		out.Encode(PairingEvent{Error: err.Error()})
		return
	}
	a.log.Info("pairing URI shown", "valid_for", time.Until(offer.until).Round(time.Second))
	out.Encode(PairingEvent{URI: offer.uri.String(), Expires: &offer.until})
	a.await(conn, out, offer)
}

// administer does what the router's administrator asks: what owners may, for
// any device what it may ask itself, and to see the decisions.
func (a *Agent) administer(request service.ManageRequest) service.ManageAnswer {
	switch request.Do {
	case "export", "forget":
		d, err := a.find(request.Device)
		if err != nil {
			return failed(err)
		}
		if request.Do == "export" {
			return a.export(d)
		}
		answer := a.forget(d)
		if _, known := a.devices.get(d.ID); !known { // forgotten, even if its log could not be erased yet
			a.cut(d.ID)
		}
		return answer
	case "log":
		return a.decisions(request.Device)
	}
	return a.manage(request, administrator)
}

// decisions are those about one device, or all if it is not named.
func (a *Agent) decisions(whom string) service.ManageAnswer {
	var id auth.DeviceID
	if whom != "" {
		d, err := a.find(whom)
		if id = d.ID; err != nil {
			if id, err = auth.ParseDeviceID(whom); err != nil { // it may have left the list
				return failed(fmt.Errorf("no paired device has the ID or name %q; name one that has left by its whole ID", whom))
			}
		}
	}
	doc, err := json.Marshal(a.journal.Entries(id, time.Time{}))
	if err != nil {
		return failed(err)
	}
	return service.ManageAnswer{Log: doc}
}

// await tells the asker how the offer ended, if it is still there.
func (a *Agent) await(conn net.Conn, out *json.Encoder, offer offer) {
	gone := make(chan struct{})
	a.streams.Go(func() {
		defer close(gone)
		io.Copy(io.Discard, conn) // nothing more comes: the end of the connection ends it
	})
	select {
	case how := <-offer.ended:
		out.Encode(how.event())
	case <-time.After(time.Until(offer.until)):
		out.Encode(PairingEvent{Error: "nobody has paired in time: the URI has expired"})
	case <-gone:
	}
	conn.Close()
	<-gone
}

func (o outcome) event() PairingEvent {
	if o.err != nil {
		return PairingEvent{Error: o.err.Error()}
	}
	return PairingEvent{Paired: true, Device: o.device}
}

// dialAgent connects to the running agent of this directory.
func (c *Config) dialAgent(ctx context.Context) (net.Conn, error) {
	conn, err := localsock.Dial(ctx, c.path(socketFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("the agent is not running: start it with 'lethe-agent run --config %s'", c.path(configFile))
	}
	return conn, err
}

// Pair asks the running agent of this directory for a pairing URI. onEvent is
// called with the offer and, if wait is set, with how it ended.
func (c *Config) Pair(ctx context.Context, wait bool, onEvent func(PairingEvent) error) error {
	conn, err := c.dialAgent(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(service.ManageRequest{Do: "pair"}); err != nil {
		return err
	}
	in := json.NewDecoder(conn)
	for {
		var event PairingEvent
		if err := in.Decode(&event); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("the agent broke off: %w; see its log", err)
		}
		if event.Error != "" {
			return errors.New(event.Error)
		}
		if err := onEvent(event); err != nil || event.Paired || !wait {
			return err
		}
	}
}
