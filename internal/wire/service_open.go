package wire

const maxServiceName = 32 // bytes

// ServiceOpen is the first message on each stream of a tunnel and names the
// service that the device wants on it.
type ServiceOpen struct {
	// Service is the service's name, see [ValidServiceName].
	Service string
}

// Type returns TypeServiceOpen.
func (*ServiceOpen) Type() Type { return TypeServiceOpen }

func (m *ServiceOpen) walk(f *fields) {
	f.text(2, &m.Service, maxServiceName, isServiceName, required)
}
