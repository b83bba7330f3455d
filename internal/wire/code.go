package wire

import "slices"

// Code is a stable reason for a refusal. It is an error, so that it can be
// returned where an [Error] will be sent, and be matched with errors.Is. The
// package documentation says what each code means.
type Code string

// The codes of this version. Peers may send others.
const (
	CodeBadRequest        Code = "bad_request"
	CodeUnsupported       Code = "unsupported"
	CodeInternal          Code = "internal"
	CodeShuttingDown      Code = "shutting_down"
	CodeReplaced          Code = "replaced"
	CodeNotEnrolled       Code = "not_enrolled"
	CodeRateLimited       Code = "rate_limited"
	CodeTooManyRouters    Code = "too_many_routers"
	CodeTooManySessions   Code = "too_many_sessions"
	CodeRouterOffline     Code = "router_offline"
	CodeRouterTimeout     Code = "router_timeout"
	CodeDenied            Code = "denied"
	CodeGrantInvalid      Code = "grant_invalid"
	CodeGrantExpired      Code = "grant_expired"
	CodeGrantNotYetValid  Code = "grant_not_yet_valid"
	CodeGrantRevoked      Code = "grant_revoked"
	CodePairingClosed     Code = "pairing_closed"
	CodePairingRefused    Code = "pairing_refused"
	CodeUnknownService    Code = "unknown_service"
	CodeServiceNotGranted Code = "service_not_granted"
	CodeServiceDown       Code = "service_down"
	CodeStepUpRequired    Code = "step_up_required"
	CodeEnvDenied         Code = "env_denied"
	CodePINWrong          Code = "pin_wrong"
	CodePINLocked         Code = "pin_locked"
	CodePINNotSet         Code = "pin_not_set"
	CodeNotApproved       Code = "not_approved"
	CodeNoAccounts        Code = "no_accounts"
)

// Error returns the code itself.
func (c Code) Error() string { return string(c) }

// CloseNone is the QUIC application error number of a connection or stream
// that ends without an error.
const CloseNone uint64 = 0

// CloseNumbers is how many numbers there are, 0 for none included.
const CloseNumbers = 29

// closeNumbers is indexed by QUIC application error number. It is only
// appended to; the place of a removed code stays taken.
var closeNumbers = [CloseNumbers]Code{
	1:  CodeBadRequest,
	2:  CodeUnsupported,
	3:  CodeInternal,
	4:  CodeShuttingDown,
	5:  CodeReplaced,
	6:  CodeNotEnrolled,
	7:  CodeRateLimited,
	8:  CodeTooManyRouters,
	9:  CodeTooManySessions,
	10: CodeRouterOffline,
	11: CodeRouterTimeout,
	12: CodeDenied,
	13: CodeGrantInvalid,
	14: CodeGrantExpired,
	15: CodeGrantNotYetValid,
	16: CodeGrantRevoked,
	17: CodePairingClosed,
	18: CodePairingRefused,
	19: CodeUnknownService,
	20: CodeServiceNotGranted,
	21: CodeServiceDown,
	22: CodeStepUpRequired,
	23: CodeEnvDenied,
	24: CodePINWrong,
	25: CodePINLocked,
	26: CodePINNotSet,
	27: CodeNotApproved,
	28: CodeNoAccounts,
}

// CloseNumber returns the QUIC application error number (RFC 9000, section
// 20.2) that closes a connection or resets a stream for this reason. For a
// code that is not of this version it is the number of CodeInternal.
func (c Code) CloseNumber() uint64 {
	if n := slices.Index(closeNumbers[:], c); n > 0 {
		return uint64(n)
	}
	return CodeInternal.CloseNumber()
}

// CodeOfClose returns the code for the QUIC application error number with
// which a peer closed, the empty code for CloseNone, and CodeInternal for a
// number that is not of this version.
func CodeOfClose(number uint64) Code {
	if number < uint64(len(closeNumbers)) {
		return closeNumbers[number]
	}
	return CodeInternal
}
