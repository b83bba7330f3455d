package forward

import (
	"sync/atomic"
	"time"
)

// share keeps a loop fair when more comes in than it can carry.
//
// # What it sees
//
// The kernel queues datagrams in the order they come, whoever sent them. While
// the loop keeps up, it finds the end of that queue at every other read. When
// it doesn't for standsFor, the queue stands: everybody waits in it, and what finds it
// full is lost, whosever it is. From the first read that does not find the end, the share
// tallies what each leg asks for, in windows of 32 ms. A session is quiet if both its
// legs ask for less than a thirty-second of what the heaviest leg does, in this window
// and in the whole one before it, and still do proofTime later: whoever sends
// in bursts has sent little, too, when one begins.
//
// # What it does
//
// If the queue stands and somebody quiet is in it, each leg gets a bucket, filled at
// one rate for all: the share. A leg that is over it is dropped before
// it is sent, which is the dear half of the work. Each millisecond in which
// the loop never found the end of the queue, the share goes down; each other one,
// up. So it settles where the loop just keeps up, and what heavy legs leave is for the
// others: max-min fairness, by approximate fair dropping (Pan, Breslau,
// Prabhakar, Shenker 2003) with an empty queue for a target. It does not go down where
// reading takes the time, of what belongs to no leg for instance, and never below
// what a quiet leg asks for. The share is a leg's: a device with 16 sessions has 16 of
// them, and how many it may have is the control plane's to limit.
//
// It ends when nobody but quiet legs was over the share for idleFor, or when nobody quiet
// has come for quietFor. Where all are alike, and send steadily, nothing is dropped here:
// it would help nobody, and the kernel drops at less cost.
//
// # Why a thirty-second
//
// A session of a tenth is quiet only when chance has it late, and can lose a seventh or a third
// beside the heavy one. An eighth would keep it, but takes equals for unequal. Tried with
// the simulation of the tests, for ten equal legs in a second of overload: an eighth
// at any moment of a window was engaged for 0.6 to 1 s when their runs came at random, since each
// had its turn late at some time; a thirty-second never was. An eighth in a whole window
// let those be, but was engaged for 0.94 s when they came in step: a full queue
// then refuses the same legs again and again, and who was refused looks quiet from here.
//
// # What it costs
//
// Nothing while the loop finds the end of its queue: no clock, no tally. Else a clock
// reading for each batch, and two words for each leg.
//
// A share is a state machine without a clock: begin gives it the time. It is owned
// by its loop; only engagedFor is read by others.
type share struct {
	// static
	patience time.Duration // how long the queue may stand before it is engaged

	now    time.Duration // of the batch under way, since the plane was made
	behind bool          // the loop has not found the end of the queue
	since  time.Duration // it has not since then

	// the tally
	window    int64         // its number
	heaviest  int64         // what the leg that asked for most has asked for in it,
	before    int64         // and in the one before
	modest    int64         // what the quiet leg that asked for most has asked for in it,
	modestly  int64         // and in the one before
	heardFrom time.Duration // when the window began, or the tally in it
	seeming   *Leg          // it seems to be quiet; nil: nobody does
	seemsFrom time.Duration // it does since then
	quiet     time.Duration // when somebody was last seen to be quiet; zero: never

	// while it is engaged
	engaged bool
	line    int64         // what each leg may have been carried
	perStep int64         // how much the line goes up in a step: the share
	step    time.Duration // when the step under way began
	found   bool          // the end of the queue, in this step
	read    int64         // the cost of what was read in this step, whosever it is,
	carried int64         // and of what was sent of it
	phase   phase
	over    time.Duration // when a leg was last over the share that was not quiet

	engagedFor atomic.Int64 // nanoseconds in all
}

// Costs are in bytes: a message costs as much as its bytes and messageCost more. Measured
// were 2 to 5 µs for a message of one datagram and 8 µs for one of 64 KiB.
const messageCost = 32 << 10

const (
	standsFor  = 4 * time.Millisecond   // without an end of the queue: a burst may take so long
	stepTime   = time.Millisecond       // in which the share stays as it is
	windowTime = 32 * time.Millisecond  // of the tally
	proofTime  = 8 * time.Millisecond   // in which who seems to be quiet has to stay so
	quietFor   = time.Second            // that somebody quiet counts as being here
	idleFor    = 100 * time.Millisecond // that the share goes on with none but quiet legs over it

	quietPart   = 32 // a quiet leg asks for less than the heaviest one divided by this
	burstSteps  = 2  // of the share that a leg may carry at once after a pause
	burstLeast  = 8 * messageCost
	debtMost    = 4 * messageCost // more than one message takes a leg beyond the line
	uselessPart = 16              // of what is read: to send less than that is not worth sparing
)

// phase is how far a share has come on its way to where it settles.
type phase uint8

const (
	falling phase = iota
	climbing
	settled
)

// watching tells whether admit has to be asked.
func (s *share) watching() bool { return s.behind || s.engaged }

// cost is that of so many messages with so many bytes.
func cost(messages, bytes int) int64 { return int64(bytes) + int64(messages)*messageCost }

// begin is called at now for each batch that was read, whosever its messages are. atEnd
// tells that the loop has found the end of the queue with it.
func (s *share) begin(now time.Duration, batch int64, atEnd bool) {
	passed := now - s.now
	s.now = now
	if !atEnd && !s.behind {
		s.since = now
		if !s.engaged {
			s.heardFrom, s.heaviest, s.before, s.modest, s.modestly, s.seeming = now, 0, 0, 0, 0, nil
		}
	}
	s.behind = !atEnd
	s.turn()
	s.prove()
	if s.engaged {
		s.goOn(passed, atEnd)
	} else if s.behind && now-s.since >= s.patience && s.quietSince(max(s.since, now-quietFor)) && s.heaviest > 0 && now-s.heardFrom >= stepTime {
		s.engage()
	}
	s.read += batch
	if !s.watching() {
		s.seeming = nil // or its session would stay in memory
	}
}

// turn begins a new window if it is time.
func (s *share) turn() {
	window := int64(s.now / windowTime)
	if window == s.window {
		return
	}
	s.before, s.modestly = s.heaviest, s.modest
	if window != s.window+1 {
		s.before, s.modestly = 0, 0
	}
	s.window, s.heardFrom, s.heaviest, s.modest = window, s.now, 0, 0
}

// prove looks again at the leg that seemed to be quiet.
func (s *share) prove() {
	if s.seeming == nil || s.now-s.seemsFrom < proofTime {
		return
	}
	if s.seemsQuiet(s.seeming) {
		s.quiet = s.now
	}
	s.seeming = nil
}

// seemsQuiet tells whether leg's session has been quiet until now.
func (s *share) seemsQuiet(leg *Leg) bool {
	most := max(s.heaviest, s.before)
	return leg.asked.most(s.window)*quietPart < most && leg.peer.asked.most(s.window)*quietPart < most
}

// quietSince tells whether somebody quiet has come since t.
func (s *share) quietSince(t time.Duration) bool { return s.quiet > 0 && s.quiet >= t }

// engage starts with half of what the heaviest leg has asked for, and a full
// bucket for everybody.
func (s *share) engage() {
	s.engaged, s.phase, s.found, s.read, s.carried = true, falling, false, 0, 0
	s.perStep = max(s.least(), s.heaviest*int64(stepTime)/int64(s.now-s.heardFrom)/2)
	s.line += s.burst() + debtMost
	s.step, s.over = s.now, s.now
}

// goOn draws the line on, ends the step if it is time, and the share if it is of no more use.
func (s *share) goOn(passed time.Duration, atEnd bool) {
	s.engagedFor.Add(int64(min(passed, idleFor))) // nothing came for longer: that was no overload
	s.line += s.perStep * int64(min(passed, stepTime)) / int64(stepTime)
	s.found = s.found || atEnd
	if s.now-s.step >= stepTime {
		s.adjust()
		s.step, s.found, s.read, s.carried = s.now, false, 0, 0
	}
	s.engaged = s.now-s.over < idleFor && s.quietSince(s.now-quietFor)
}

// adjust moves the share in parts of itself, since it may be right anywhere between a
// core and a ten-thousandth of it. It falls by halves until the queue that stood is gone,
// climbs by quarters until the queue stands again, and has settled then: up by
// little, so that few steps find that it is too much, and down by an eighth.
func (s *share) adjust() {
	up, down := s.perStep/64, s.perStep/8
	switch s.phase {
	case falling:
		up, down = 0, s.perStep/2
		if s.found {
			s.phase = climbing
		}
	case climbing:
		up = s.perStep / 4
		if !s.found {
			s.phase = settled
		}
	}
	switch {
	case s.found && s.perStep >= max(s.heaviest, s.before): // far more than anybody asks for
	case s.found:
		s.perStep += up + 1
	case s.carried > 0 && s.carried*uselessPart >= s.read: // else it is reading that takes the time, and less would not help
		s.perStep -= down
	}
	s.perStep = max(s.perStep, s.least())
}

// need is what a quiet leg may ask for in a window: as much as any has, and at least a message.
func (s *share) need() int64 { return max(s.modest, s.modestly, messageCost) }

// least is the share that a quiet leg can live on.
func (s *share) least() int64 { return s.need() * int64(stepTime) / int64(windowTime) }

func (s *share) burst() int64 { return max(burstLeast, burstSteps*s.perStep, s.need()) }

// admit tallies a message of n bytes from leg and tells whether it may be carried.
func (s *share) admit(leg *Leg, n int) bool {
	cost := cost(1, n)
	quiet := s.tally(leg, cost)
	if !s.engaged {
		return true
	}
	paid := leg.fair.at(s.line, s.burst())
	if paid > s.line+debtMost { // it comes from another loop, whose line is far ahead
		paid = s.line - s.burst()
	}
	if paid >= s.line {
		if !quiet { // for whom a share is kept going
			s.over = s.now
		}
		return false
	}
	s.carried += cost
	leg.fair.paid.Store(paid + cost)
	return true
}

// tally adds to what leg has asked for in this window and tells whether it seems to be quiet.
func (s *share) tally(leg *Leg, cost int64) (quiet bool) {
	asked := leg.asked.add(s.window, cost)
	s.heaviest = max(s.heaviest, asked)
	if !s.seemsQuiet(leg) {
		return false
	}
	s.modest = max(s.modest, asked)
	if s.seeming == nil {
		s.seeming, s.seemsFrom = leg, s.now
	}
	return true
}

// tally is what a leg has asked for in a window, and in the one before, in one word:
//
//	16 bits          24 bits   24 bits
//	window's number  before    in it
//
// The sums are in KiB, so that 16 GiB fit; a window's number comes again after half an hour.
type tally struct{ word atomic.Uint64 }

const (
	sumBits = 24
	sumMask = 1<<sumBits - 1
	sumUnit = 1 << 10
)

// in is the sums in that window and in the one before, in KiB.
func (t *tally) in(window int64) (sum, before uint64) {
	word := t.word.Load()
	switch uint16(window) - uint16(word>>(2*sumBits)) {
	case 0:
		return word & sumMask, word >> sumBits & sumMask
	case 1:
		return 0, word & sumMask
	default:
		return 0, 0
	}
}

// most is the larger one of the two sums, in bytes.
func (t *tally) most(window int64) int64 {
	sum, before := t.in(window)
	return int64(max(sum, before)) * sumUnit
}

// add adds so many bytes in that window and returns the sum in it.
func (t *tally) add(window, bytes int64) int64 {
	sum, before := t.in(window)
	sum = min(sum+uint64(bytes)/sumUnit, sumMask)
	t.set(window, sum, before)
	return int64(sum) * sumUnit
}

func (t *tally) set(window int64, sum, before uint64) {
	t.word.Store(uint64(uint16(window))<<(2*sumBits) | before<<sumBits | sum)
}
