package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/tunnel/device"
)

// receipts are the signed confirmations of one erasure, as the person keeps them.
type receipts struct {
	Router *auth.Receipt `json:"router,omitempty"`
	Relay  *auth.Receipt `json:"relay,omitempty"`
}

// erasure says who must have erased what about whom.
type erasure struct {
	device   auth.DeviceID
	router   auth.RouterID
	relay    auth.RelayURL
	pairedAt time.Time
}

func erasureOf(r *device.Router, id *auth.Identity) erasure {
	return erasure{id.DeviceID(), r.ID, r.Relay, r.PairedAt}
}

// checkRouter accepts the router's receipt: its key is the one that was paired.
func (e erasure) checkRouter(r *auth.Receipt) error {
	if err := e.check(r, auth.PeerRouter); err != nil {
		return err
	}
	if auth.RouterIDOf(r.Key) != e.router {
		return auth.ErrReceiptSignature
	}
	return nil
}

// checkRelay accepts the relay's receipt: its key is the pinned one. Without a
// pin nothing is known of the key, but that the relay gave it on a connection
// whose certificate this machine trusts.
func (e erasure) checkRelay(r *auth.Receipt) error {
	if err := e.check(r, auth.PeerRelay); err != nil {
		return err
	}
	if e.relay.Pin.IsZero() {
		return nil
	}
	spki, err := x509.MarshalPKIXPublicKey(r.Key)
	if err != nil {
		return err
	}
	if auth.RelayPin(sha256.Sum256(spki)) != e.relay.Pin {
		return auth.ErrReceiptSignature
	}
	return nil
}

// check looks at what the two have in common. The key is the receipt's own: the
// caller says whose it must be.
func (e erasure) check(r *auth.Receipt, party auth.Peer) error {
	if r == nil {
		return fmt.Errorf("the %s gave no receipt", party)
	}
	if r.Party != string(party) || r.Device != e.device || r.Router != e.router {
		return fmt.Errorf("the receipt of the %s is about somebody else", party)
	}
	return r.Verify(r.Key)
}

// loadReceipts reads what an earlier attempt has left. A file that is missing is
// empty; one that is of another erasure, or complete, is not to be replaced.
func loadReceipts(path string, e erasure) (kept receipts, err error) {
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return kept, err
	}
	err = statefile.ParseJSON(data, &kept)
	if err != nil || kept.Relay != nil || e.checkRouter(kept.Router) != nil || kept.Router.At.Before(e.pairedAt) {
		return receipts{}, fmt.Errorf("%s is there already, and not of this erasure: choose another file with --receipt", path)
	}
	return kept, nil
}

func (r receipts) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return statefile.Write(path, append(text, '\n'))
}

// tryReceipts finds out before anything is erased whether receipts can be kept.
func tryReceipts(path string) error {
	trial := path + ".trial"
	if err := statefile.Write(trial, make([]byte, 8<<10)); err != nil {
		return err
	}
	return os.Remove(trial)
}
