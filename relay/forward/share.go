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
// legs ask for less than a thirty-second of what the heaviest leg does.
//
// # What it does
//
// If the queue stands and somebody quiet is in it, each leg gets a bucket, filled at
// one rate for all: the share. A leg that is over it is dropped before
// it is sent, which is the dear half of the work. Each millisecond in which
// the loop never found the end of the queue, the share goes down; each other one,
// up. So it settles where the loop just keeps up, and what heavy legs leave is for the
// others: max-min fairness, by approximate fair dropping (Pan, Breslau,
// Prabhakar, Shenker 2003) with an empty queue for a target. The share is a leg's: a device
// with 16 sessions has 16 of them, and how many it may have is the control plane's to limit.
//
// It ends when nothing was over the share for idleFor, or when nobody quiet
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
// then refuses the same legs again and again, and who was refused looks quiet from here. With
// bunches of eight runs at once equals are taken for unequal by a thirty-second, too.
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
	heaviest  int64         // what the leg that asked for most has asked for in it
	heardFrom time.Duration // when the window began, or the tally in it
	quiet     time.Duration // when somebody quiet was last seen; zero: never

	// while it is engaged
	engaged bool
	line    int64         // what each leg may have been carried
	perStep int64         // how much the line goes up in a step: the share
	step    time.Duration // when the step under way began
	found   bool          // the end of the queue, in this step
	asked   int64         // the cost of what came in this step,
	carried int64         // and of what was sent of it
	phase   phase
	over    time.Duration // when a leg was last over the share

	engagedFor atomic.Int64 // nanoseconds in all
}

// Costs are in bytes: a message costs as much as its bytes and messageCost more. Measured
// were 2 to 5 µs for a message of one datagram and 8 µs for one of 64 KiB.
const messageCost = 32 << 10

const (
	standsFor  = 4 * time.Millisecond   // without an end of the queue: a burst may take so long
	stepTime   = time.Millisecond       // in which the share stays as it is
	windowTime = 32 * time.Millisecond  // of the tally
	quietFor   = time.Second            // that somebody quiet counts as being here
	idleFor    = 100 * time.Millisecond // that the share goes on with nobody over it

	quietPart   = 32 // a quiet leg asks for less than the heaviest one divided by this
	burstSteps  = 2  // of the share that a leg may carry at once after a pause
	burstLeast  = 8 * messageCost
	debtMost    = 4 * messageCost // more than one message takes a leg beyond the line
	shareMost   = 1 << 40         // more than any core carries in a step, and little enough to reckon with
	uselessPart = 16              // of what is asked for: less than that is not worth sparing
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

// begin is called at now for each batch that was read. atEnd tells that the loop
// has found the end of the queue with it.
func (s *share) begin(now time.Duration, atEnd bool) {
	passed := now - s.now
	s.now = now
	if !atEnd && !s.behind {
		s.since, s.heardFrom, s.heaviest = now, now, 0
	}
	s.behind = !atEnd
	if window := int64(now / windowTime); window != s.window {
		s.window, s.heardFrom, s.heaviest = window, now, 0
	}
	if s.engaged {
		s.goOn(passed, atEnd)
	} else if s.behind && now-s.since >= s.patience && s.quietSince(s.since) && s.heaviest > 0 && now-s.heardFrom >= stepTime {
		s.engage()
	}
}

// quietSince tells whether somebody quiet has come since t.
func (s *share) quietSince(t time.Duration) bool { return s.quiet > 0 && s.quiet >= t }

// engage starts with half of what the heaviest leg has asked for, and a full
// bucket for everybody.
func (s *share) engage() {
	s.engaged, s.phase, s.found, s.asked, s.carried = true, falling, false, 0, 0
	s.perStep = max(1, s.heaviest*int64(stepTime)/int64(s.now-s.heardFrom)/2)
	s.line += s.burst() + debtMost
	s.step, s.over = s.now, s.now
}

// goOn draws the line on, ends the step if it is time, and the share if it is of no more use.
func (s *share) goOn(passed time.Duration, atEnd bool) {
	s.engagedFor.Add(int64(passed))
	s.line += s.perStep * int64(min(passed, stepTime)) / int64(stepTime)
	s.found = s.found || atEnd
	if s.now-s.step >= stepTime {
		s.adjust()
		s.step, s.found, s.asked, s.carried = s.now, false, 0, 0
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
	case s.found:
		s.perStep = min(s.perStep+up+1, shareMost)
	case s.carried*uselessPart >= s.asked: // else it is reading that takes the time, and less would not help
		s.perStep = max(s.perStep-down, 1)
	}
}

func (s *share) burst() int64 { return max(burstLeast, burstSteps*s.perStep) }

// admit tallies a message of n bytes from leg and tells whether it may be carried.
func (s *share) admit(leg *Leg, n int) bool {
	cost := int64(n) + messageCost
	s.tally(leg, cost)
	if !s.engaged {
		return true
	}
	s.asked += cost
	paid := leg.fair.at(s.line, s.burst())
	if paid > s.line+debtMost { // it comes from another loop, whose line is far ahead
		paid = s.line - s.burst()
	}
	if paid >= s.line {
		s.over = s.now
		return false
	}
	s.carried += cost
	leg.fair.paid.Store(paid + cost)
	return true
}

// tally adds to what leg has asked for in this window.
func (s *share) tally(leg *Leg, cost int64) {
	asked := leg.asked.in(s.window) + cost
	leg.asked.set(s.window, asked)
	switch {
	case asked > s.heaviest:
		s.heaviest = asked
	case asked*quietPart < s.heaviest && leg.peer.asked.in(s.window)*quietPart < s.heaviest:
		s.quiet = s.now
	}
}

// tally is what a leg has asked for in a window, and in which: 24 bits of its
// number, 40 of the sum.
type tally struct{ word atomic.Uint64 }

const sumBits = 40

// in is the sum in that window.
func (t *tally) in(window int64) int64 {
	word := t.word.Load()
	if word>>sumBits != uint64(window)&(1<<(64-sumBits)-1) {
		return 0
	}
	return int64(word & (1<<sumBits - 1))
}

func (t *tally) set(window, sum int64) {
	t.word.Store(uint64(window)<<sumBits | uint64(sum)&(1<<sumBits-1))
}
