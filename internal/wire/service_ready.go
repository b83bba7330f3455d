package wire

// ServiceReady tells a device that the router has reached the service that it
// asked for. From here on the stream carries the service's own bytes.
type ServiceReady struct{}

// Type returns TypeServiceReady.
func (*ServiceReady) Type() Type { return TypeServiceReady }

func (*ServiceReady) walk(*fields) {}
