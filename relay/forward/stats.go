package forward

import "time"

// Stats is a reading of the plane's counters. It holds no identity and no address.
type Stats struct {
	Sessions    int           // sessions now
	BoundLegs   int           // legs that have an address now
	Reads       uint64        // system calls that brought something
	Messages    uint64        // messages they brought: single datagrams or merged runs
	Datagrams   uint64        // datagrams forwarded
	Bytes       uint64        // payload bytes forwarded
	Control     uint64        // datagrams handed to the control plane
	LegMessages uint64        // leg messages acted on
	Wipes       uint64        // times that a loop has wiped its packet buffers
	Overload    time.Duration // for which loops held each leg to its share; the sum of all loops
	Dropped     map[DropReason]uint64
	Ended       map[EndReason]uint64
}

// Stats adds up the counters of all loops.
func (p *Plane) Stats() Stats {
	st := Stats{Dropped: make(map[DropReason]uint64), Ended: make(map[EndReason]uint64)}
	for _, s := range p.list() {
		st.Sessions++
		for _, l := range s.legs() {
			if l.Bound() {
				st.BoundLegs++
			}
		}
	}
	for _, l := range p.loops {
		st.Reads += l.reads.Load()
		st.Messages += l.messages.Load()
		st.Datagrams += l.datagrams.Load()
		st.Bytes += l.bytes.Load()
		st.LegMessages += l.legMessages.Load()
		st.Wipes += l.wipes.Load()
		st.Overload += time.Duration(l.share.engagedFor.Load())
		for r := range dropReasons {
			st.Dropped[r] += l.drops[r].Load()
		}
	}
	st.Control = p.control.delivered.Load()
	for r := range dropReasons {
		st.Dropped[r] += p.control.drops[r].Load()
	}
	for r := range p.ended {
		st.Ended[EndReason(r)] = p.ended[r].Load()
	}
	return st
}
