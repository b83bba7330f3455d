package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// Owners manage the list of devices: on the router through agent.sock, from
// their own devices through the service "manage". Both speak the same: one JSON
// object in, one out.

// announceTimeout is how long the relay may take to take new revocations.
const announceTimeout = 5 * time.Second

func infoOf(d PairedDevice) service.DeviceInfo {
	return service.DeviceInfo{ID: d.ID, Name: d.Name, Role: d.Role, PairedAt: d.PairedAt, Expires: d.Expires}
}

// manage does what is asked. asker is the device that asks, or zero for the
// router's own administrator.
func (a *Agent) manage(request service.ManageRequest, asker auth.DeviceID) service.ManageAnswer {
	switch request.Do {
	case "devices":
		answer := service.ManageAnswer{Devices: []service.DeviceInfo{}}
		for _, d := range a.devices.list() {
			answer.Devices = append(answer.Devices, infoOf(d))
		}
		return answer
	case "revoke":
		d, err := a.find(request.Device)
		if err == nil && d.ID == asker {
			err = errors.New("this is the device that asks: 'lethe unpair' takes it off the list")
		}
		if err == nil {
			err = a.revoke(d.ID)
		}
		if err != nil {
			return service.ManageAnswer{Error: err.Error()}
		}
		info := infoOf(d)
		return service.ManageAnswer{Revoked: &info}
	}
	return service.ManageAnswer{Error: fmt.Sprintf("this agent can't %q: it is of another version than the command", request.Do)}
}

// find looks a device up by its ID, the first group of it, or its name if that
// is one device's only.
func (a *Agent) find(whom string) (PairedDevice, error) {
	var found []PairedDevice
	for _, d := range a.devices.list() {
		id := d.ID.String()
		if whom == id || whom == d.ID.Short() || whom == strings.ReplaceAll(id, "-", "") {
			return d, nil
		}
		if whom == d.Name && whom != "" {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return PairedDevice{}, fmt.Errorf("no paired device has the ID or name %q: list them with 'devices'", whom)
	}
	return PairedDevice{}, fmt.Errorf("%d devices are named %q: name the one you mean by the first group of its ID", len(found), whom)
}

// revoke takes a device off the list. The router refuses it from then on.
func (a *Agent) revoke(id auth.DeviceID) error {
	if _, err := a.devices.remove(id); err != nil {
		return err
	}
	a.log.Info("device revoked")
	a.cut(id)
	return nil
}

// cut ends the tunnels of a device that is no longer on the list, and tells
// the relay to refuse it, too.
func (a *Agent) cut(id auth.DeviceID) {
	listener := a.listener.Load()
	if listener == nil {
		return // not registered yet: there are no tunnels, and the relay is told then
	}
	listener.Disconnect(id)
	ctx, cancel := context.WithTimeout(context.Background(), announceTimeout)
	defer cancel()
	if err := listener.Announce(ctx); err != nil {
		a.log.Warn("relay not told of a revocation", "error", err)
	}
}

// serveManage answers an owner's request in a tunnel.
func (a *Agent) serveManage(s *tunnel.Stream) {
	defer s.Close()
	if s.Device().Grant.Role != auth.RoleOwner {
		s.Refuse(string(wire.CodeDenied))
		return
	}
	s.SetReadDeadline(time.Now().Add(adminTimeout))
	var request service.ManageRequest
	if err := json.NewDecoder(io.LimitReader(s, wire.MaxBody)).Decode(&request); err != nil {
		return
	}
	json.NewEncoder(s).Encode(a.manage(request, s.Device().ID()))
}

// Manage asks the running agent of this directory.
func (c *Config) Manage(ctx context.Context, request service.ManageRequest) (service.ManageAnswer, error) {
	conn, err := c.dialAgent(ctx)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer conn.Close()
	return service.Manage(ctx, conn, request)
}
