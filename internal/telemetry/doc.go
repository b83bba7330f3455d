// Package telemetry is the relay's log. It takes events, which are listed here,
// with numbers, durations, flags and codes: nothing that can hold payload, an
// identity, an address or the text of an error. So there is no line in the relay
// that could log one by mistake, and a reader of event.go has read all that the
// relay can ever say.
//
// A code is a value of a type of one byte, whose texts are written in the program:
// a drop reason, a cause, the name of a control. What the world says, such as an
// error's text, is mapped to one first.
//
// Numbers are counts, sizes and times. A number could spell an address, and a
// reviewer sees that.
package telemetry
