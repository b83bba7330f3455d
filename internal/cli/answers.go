package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/tunnel/service"
)

// What a router has answered, as 'lethe' and 'lethe-agent' print it. Lists are
// [] and not null in JSON.

// ErrNoAnswer says that a router has left out what it was asked for.
var ErrNoAnswer = errors.New("the router's answer does not fit the question: its agent may be of another version")

// ShowDevices prints the paired devices.
func ShowDevices(cmd *cobra.Command, answer service.ManageAnswer, asJSON bool) error {
	if asJSON {
		return PrintJSON(cmd, append([]service.DeviceInfo{}, answer.Devices...))
	}
	return PrintDevices(cmd.OutOrStdout(), answer.Devices)
}

// ShowWaiting prints the devices that wait for an approval.
func ShowWaiting(cmd *cobra.Command, answer service.ManageAnswer, asJSON bool) error {
	if asJSON {
		return PrintJSON(cmd, append([]service.Waiting{}, answer.Waiting...))
	}
	if len(answer.Waiting) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "no device waits for approval")
		return nil
	}
	return PrintWaiting(cmd.OutOrStdout(), answer.Waiting)
}

// Decision is the word on a device that waits.
type Decision struct{ reject bool }

// Add gives a command its --reject.
func (d *Decision) Add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.reject, "reject", false, "don't let it in")
}

// Request is what the router is asked to do.
func (d *Decision) Request(device string) service.ManageRequest {
	if d.reject {
		return service.ManageRequest{Do: "reject", Device: device}
	}
	return service.ManageRequest{Do: "approve", Device: device}
}

// Show prints whom it was about.
func (d *Decision) Show(cmd *cobra.Command, answer service.ManageAnswer, asJSON bool) error {
	done := "approved"
	if d.reject {
		done = "rejected"
	}
	return showDevice(cmd, done, answer.Decided, asJSON)
}

// ShowRevoked prints whose access was taken back.
func ShowRevoked(cmd *cobra.Command, answer service.ManageAnswer, keptShared, asJSON bool) error {
	if asJSON && answer.Revoked != nil {
		return PrintJSON(cmd, service.ManageAnswer{Revoked: answer.Revoked, Invited: answer.Invited})
	}
	if err := showDevice(cmd, "revoked", answer.Revoked, false); err != nil {
		return err
	}
	what := "and whom it had invited: %s\n"
	if keptShared {
		what = "kept, although invited by it: %s\n"
	}
	for _, d := range answer.Invited {
		fmt.Fprintf(cmd.OutOrStdout(), what, DeviceName(&d))
	}
	return nil
}

// KeepSharedFlag gives a command that revokes its --keep-shared.
func KeepSharedFlag(cmd *cobra.Command, keep *bool) {
	cmd.Flags().BoolVar(keep, "keep-shared", false, "leave those alone that the device has invited")
}

func showDevice(cmd *cobra.Command, done string, device *service.DeviceInfo, asJSON bool) error {
	if device == nil {
		return ErrNoAnswer
	}
	if asJSON {
		return PrintJSON(cmd, device)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", done, DeviceName(device))
	return err
}

// sharesInfo is who has what, in --json.
type sharesInfo struct {
	Devices     []service.DeviceInfo `json:"devices"`
	Invitations []service.Invitation `json:"invitations"`
}

// ShowShares prints who has what; nobody is what to say when nobody has anything.
func ShowShares(cmd *cobra.Command, answer service.ManageAnswer, asJSON bool, nobody string) error {
	if asJSON {
		return PrintJSON(cmd, sharesInfo{append([]service.DeviceInfo{}, answer.Devices...), append([]service.Invitation{}, answer.Invitations...)})
	}
	if len(answer.Devices)+len(answer.Invitations) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), nobody)
		return nil
	}
	return PrintShares(cmd.OutOrStdout(), answer.Devices, answer.Invitations)
}

// ShowInvitation prints an invitation; router and unshare are as in
// [PrintInvitation].
func ShowInvitation(cmd *cobra.Command, answer service.ManageAnswer, asJSON bool, router, unshare string) error {
	if answer.Invitation == nil {
		return ErrNoAnswer
	}
	if asJSON {
		return PrintJSON(cmd, answer.Invitation)
	}
	return PrintInvitation(cmd.OutOrStdout(), answer.Invitation, router, unshare)
}
