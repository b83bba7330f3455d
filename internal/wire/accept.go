package wire

// Accept takes the session of an [Incoming]. A router sends it once its leg is
// bound, so that the device's first datagram finds its way.
type Accept struct{}

// Type returns TypeAccept.
func (*Accept) Type() Type { return TypeAccept }

func (*Accept) walk(*fields) {}
