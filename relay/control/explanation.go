package control

import (
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// Explanation is all that the relay holds about a router, a device or an address.
// Like an answer to a court it has names in it: it is printed for who asked, and
// never logged.
type Explanation struct {
	Kind        string       `json:"kind"`  // router, device or address
	About       string       `json:"about"` // what was asked for, as the relay writes it
	At          time.Time    `json:"at"`    // when it was so
	Nothing     bool         `json:"nothing"`
	Connections []Connection `json:"connections,omitempty"`
	Sessions    []Session    `json:"sessions,omitempty"`
	Revocations []Revoked    `json:"revocations,omitempty"`
	Counts      []Counted    `json:"counts,omitempty"`
	Place       *Place       `json:"place,omitempty"` // of an address, by the relay's MaxMind files; it is there for any address, and is not held about it
}

// Connection is a control connection, whose peer has proved its key. Router and
// Device are the two names of that key; which one it goes by shows in Registered.
type Connection struct {
	Router     auth.RouterID  `json:"router"`
	Device     auth.DeviceID  `json:"device"`
	Registered bool           `json:"registered"` // it is how the router is reached
	Address    netip.AddrPort `json:"address"`
	Requests   int            `json:"requests"` // being answered now
	Revoked    int            `json:"revoked"`  // devices that the router has taken grants back from, as it has told
	Number     uint64         `json:"revocations_number,omitempty"`
}

// Session is a session that lives.
type Session struct {
	Router    auth.RouterID `json:"router"`
	Device    auth.DeviceID `json:"device"`
	DeviceLeg Leg           `json:"device_leg"`
	RouterLeg Leg           `json:"router_leg"`
	Active    time.Time     `json:"active"` // when it last carried something, to a second; or its beginning
	Limit     *Limit        `json:"limit,omitempty"`
	Evidence  *Evidence     `json:"evidence,omitempty"` // nil: a session for pairing, which has none
	Waiting   *netip.Addr   `json:"waiting,omitempty"`  // an address of the device's that is yet to be judged
}

// Leg is one side of a session. The secret that its messages are signed with is
// held, too, and not shown.
type Leg struct {
	ID        string         `json:"id"`               // in hexadecimal digits
	Address   netip.AddrPort `json:"address,omitzero"` // left out: it is bound to none
	Judged    netip.Addr     `json:"judged,omitzero"`  // the address that was last judged
	Counter   uint64         `json:"counter"`          // of the last BIND
	Heard     time.Time      `json:"heard,omitzero"`   // when that came
	Datagrams uint64         `json:"datagrams"`        // that it has sent
	Bytes     uint64         `json:"bytes"`            // that it has sent
}

// Limit is what a session may carry whose device is yet to be confirmed.
type Limit struct {
	Bytes uint64    `json:"bytes"`
	Used  uint64    `json:"used"`
	Until time.Time `json:"until"`
}

// Evidence is what a session is judged again by. Values that the relay has not
// got itself are told as kinds: it holds hashes of them, and names that say
// nothing to whoever has no key.
type Evidence struct {
	Verdict  string   `json:"verdict"`
	Services []string `json:"services,omitempty"` // that the grant allows
	Policy   bool     `json:"policy"`             // the grant's; false: it demands nothing
	Accepted int      `json:"accepted"`           // hashes of what the grant's router has learned
	Proofs   []string `json:"proofs,omitempty"`   // that the device has shown: feature and finding
	Key      bool     `json:"observation_key"`    // that the device has lent, to blind what follows
	Vouched  []string `json:"vouched,omitempty"`  // features that the router is told blinded names of
	Network  string   `json:"network,omitempty"`  // of the address that was last judged
	ASN      uint32   `json:"asn,omitempty"`
	Country  string   `json:"country,omitempty"`
}

// Revoked is a list of grants that a router has taken back.
type Revoked struct {
	Number  uint64    `json:"number"`         // of the list
	Devices int       `json:"devices"`        // that it names
	Serial  uint64    `json:"serial"`         // up to which the grants of the device in question are void; 0 if a router is
	Of      string    `json:"router"`         // whose it is: a RouterID, or that it is known by a hash only
	Until   time.Time `json:"until,omitzero"` // left out: as long as the router is connected
}

// Counted is what a limit counts, by a hash of what was asked for.
type Counted struct {
	What string  `json:"what"`
	Now  float64 `json:"now"`
}

// Place is where an address is.
type Place struct {
	ASN     uint32 `json:"asn,omitempty"`
	Country string `json:"country,omitempty"`
}
