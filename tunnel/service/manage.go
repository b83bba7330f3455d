package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

// maxManage is the largest answer to a request to manage, in bytes.
const maxManage = 1 << 20

// ManageRequest is what is asked of a router through [NameManage],
// [NamePersonal] or [NameForget], as one JSON object.
//
//	do          who                  through
//	devices     owner                manage    list who is paired, and open invitations
//	revoke      owner                manage    take the access of Device back, and of those it has invited
//	share       owner, admin         manage    invite somebody to what Share says
//	shares      owner, admin         manage    as devices; an admin sees what it has shared
//	unshare     owner, admin         manage    take back what was shared with Device
//	waiting     owner                manage    list devices that wait for approval
//	approve     owner                manage    let Device in, in its new surroundings
//	reject      owner                manage    don't
//	export      everybody            personal  all that the router holds about the asker
//	forget      everybody            forget    erase it
//
// The router's own administrator, who asks on agent.sock, may do all of it, for
// any device, and "log": list decisions, of Device only if it is set.
type ManageRequest struct {
	Do     string `json:"do"`
	Device string `json:"device,omitempty"` // an ID, the first group of it, or a name; of an invitation its name
	Share  *Share `json:"share,omitempty"`

	// KeepShared leaves those alone, on "revoke", that the device has invited.
	KeepShared bool `json:"keep_shared,omitempty"`
}

// Share is what somebody is invited to.
type Share struct {
	Role     auth.Role     `json:"role"`
	Services []string      `json:"services"`       // or "*" alone for all
	For      time.Duration `json:"for_ns"`         // how long the access lasts, from now on; 0: as long as the sharer's own
	Accept   time.Duration `json:"accept_ns"`      // how long the invitation can be accepted; 0: a day
	Name     string        `json:"name,omitempty"` // what the sharer calls whom it is for
}

// ManageAnswer is the router's answer, one JSON object.
type ManageAnswer struct {
	Devices     []DeviceInfo    `json:"devices,omitempty"`
	Invitations []Invitation    `json:"invitations,omitempty"`
	Revoked     *DeviceInfo     `json:"revoked,omitempty"`    // on "revoke", and on "unshare" of a device
	Invited     []DeviceInfo    `json:"invited,omitempty"`    // those that it had invited, and they in turn; revoked too unless they were to be kept
	Invitation  *Invitation     `json:"invitation,omitempty"` // on "share", and on "unshare" of an invitation
	Waiting     []Waiting       `json:"waiting,omitempty"`
	Decided     *DeviceInfo     `json:"decided,omitempty"` // on "approve" and "reject"
	Export      json.RawMessage `json:"export,omitempty"`
	Receipt     *auth.Receipt   `json:"receipt,omitempty"` // on "forget"
	Log         json.RawMessage `json:"log,omitempty"`     // entries of package tunnel/agent/journal
	Error       string          `json:"error,omitempty"`
}

// DeviceInfo is a paired device, without its secret.
type DeviceInfo struct {
	ID       auth.DeviceID `json:"id"`
	Name     string        `json:"name,omitempty"` // what the device calls itself
	Role     auth.Role     `json:"role"`
	Services []string      `json:"services"`
	PairedAt time.Time     `json:"paired_at"`
	Expires  time.Time     `json:"grant_expires"`
	LastUsed time.Time     `json:"last_used,omitzero"`
	SharedBy string        `json:"shared_by,omitempty"` // name or short ID; empty: the router's administrator
}

// Invitation is a pairing URI that has not been used yet.
type Invitation struct {
	Name     string    `json:"name"`
	URI      string    `json:"uri,omitempty"` // on "share" only: it is a secret
	Role     auth.Role `json:"role"`
	Services []string  `json:"services"`
	Until    time.Time `json:"until"`     // of the access
	AcceptBy time.Time `json:"accept_by"` // of the invitation
	SharedBy string    `json:"shared_by,omitempty"`
}

// Waiting is a device that waits for an owner's approval.
type Waiting struct {
	DeviceInfo
	Since   time.Time `json:"since"`
	Reasons []string  `json:"reasons"` // codes of package auth/ecv
}

// Manage sends one request on conn, which the caller closes, and reads the
// answer. What the router could not do comes back as an error.
func Manage(ctx context.Context, conn net.Conn, request ManageRequest) (answer ManageAnswer, err error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return answer, err
	}
	if err := json.NewDecoder(io.LimitReader(conn, maxManage)).Decode(&answer); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return answer, err
	}
	if answer.Error != "" {
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}
