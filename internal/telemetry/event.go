package telemetry

import "log/slog"

// Event is something that can be logged.
type Event uint8

// All events of the relay.
const (
	RelayStarted Event = iota
	RelayStopped
	DatagramsDropped // as a sum, when the relay stops
	SmallBuffers
	LockdownEntered
	LockdownPreferred // all is in force, but the relay would run without
	LockdownIncomplete
	LockdownOff
	ControlNotInForce
	RouterRegistered
	RouterGone
	IssuerAnswers
	IssuerOldKeys
	IssuerUnavailable
	CertificateRead
	CertificateKept
	CertificateOwn
	AdminTrouble
	events // how many there are
)

var eventTexts = [events]struct {
	level slog.Level
	text  string
}{
	RelayStarted:       {slog.LevelInfo, "relay started"},
	RelayStopped:       {slog.LevelInfo, "relay stopped"},
	DatagramsDropped:   {slog.LevelInfo, "datagrams were dropped"},
	SmallBuffers:       {slog.LevelWarn, "the kernel gave smaller socket buffers than asked for: raise net.core.rmem_max and net.core.wmem_max, or give the program CAP_NET_ADMIN"},
	LockdownEntered:    {slog.LevelInfo, "locked down: the kernel refuses this process all that could keep or pass on what it relays"},
	LockdownPreferred:  {slog.LevelWarn, "ZERO RETENTION IS NOT REQUIRED: the relay is locked down, but with lockdown: prefer it would also run if it were not; set lockdown to require in relay.yaml"},
	LockdownIncomplete: {slog.LevelWarn, "ZERO RETENTION IS NOT ENFORCED: with lockdown: prefer the relay runs without what is missing; 'lethe-relay status' says what that is and how to mend it; then set lockdown to require in relay.yaml"},
	LockdownOff:        {slog.LevelWarn, "ZERO RETENTION IS NOT ENFORCED: lockdown is off in relay.yaml; set it to require"},
	ControlNotInForce:  {slog.LevelWarn, "a retention control is not in force"},
	RouterRegistered:   {slog.LevelInfo, "router registered"},
	RouterGone:         {slog.LevelInfo, "router gone"},
	IssuerAnswers:      {slog.LevelInfo, "the account issuer answers"},
	IssuerOldKeys:      {slog.LevelWarn, "the account issuer can't be asked: its old keys are used for now"},
	IssuerUnavailable:  {slog.LevelWarn, "the account issuer can't be asked: no account token is accepted until it answers"},
	CertificateRead:    {slog.LevelInfo, "the certificate is in use"},
	CertificateKept:    {slog.LevelWarn, "the new certificate is no good: the one before stays in use"},
	CertificateOwn:     {slog.LevelInfo, "nothing to read again: the relay has a certificate of its own, which its clients pin"},
	AdminTrouble:       {slog.LevelWarn, "the admin listener had trouble with a request"},
}

// String is the event's text.
func (e Event) String() string { return eventTexts[e].text }

// Key names a value of an event.
type Key uint8

// All keys.
const (
	Why Key = iota
	Reason
	Mode
	Control
	Sockets
	ReceiveBuffer
	SendBuffer
	BufferWanted
	GRO
	GSO
	Routers
	Datagrams
	Bytes
	Controls
	NotInForce
	UsableFor
	ValidFor
	keys // how many there are
)

var keyNames = [keys]string{
	Why:           "why",
	Reason:        "reason",
	Mode:          "mode",
	Control:       "control",
	Sockets:       "sockets",
	ReceiveBuffer: "receive_buffer",
	SendBuffer:    "send_buffer",
	BufferWanted:  "buffer_wanted",
	GRO:           "gro",
	GSO:           "gso",
	Routers:       "routers",
	Datagrams:     "datagrams",
	Bytes:         "bytes",
	Controls:      "controls",
	NotInForce:    "not_in_force",
	UsableFor:     "usable_for",
	ValidFor:      "valid_for",
}

// String is the name that the log shows.
func (k Key) String() string { return keyNames[k] }
