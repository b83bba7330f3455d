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

// ManageRequest is what an owner asks of a router through [NameManage], as one
// JSON object.
type ManageRequest struct {
	Do     string `json:"do"`               // "devices" or "revoke"
	Device string `json:"device,omitempty"` // whom to revoke: an ID, the first group of it, or a name
}

// ManageAnswer is the router's answer, one JSON object.
type ManageAnswer struct {
	Devices []DeviceInfo `json:"devices,omitempty"` // on "devices"
	Revoked *DeviceInfo  `json:"revoked,omitempty"` // on "revoke"
	Error   string       `json:"error,omitempty"`
}

// DeviceInfo is a paired device, without its secret.
type DeviceInfo struct {
	ID       auth.DeviceID `json:"id"`
	Name     string        `json:"name,omitempty"` // what the device calls itself
	Role     auth.Role     `json:"role"`
	PairedAt time.Time     `json:"paired_at"`
	Expires  time.Time     `json:"grant_expires"`
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
