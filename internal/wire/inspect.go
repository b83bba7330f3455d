package wire

// Inspect asks the relay what it holds about the device of the connection and
// its sessions with a router.
type Inspect struct {
	// Router is the RouterID.
	Router [32]byte
	// Erase wants it erased: the sessions end.
	Erase bool
}

// Type returns TypeInspect.
func (*Inspect) Type() Type { return TypeInspect }

func (m *Inspect) walk(f *fields) {
	f.array(2, m.Router[:], required)
	f.flag(4, &m.Erase)
}
