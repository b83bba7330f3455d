// Package picture is what the pictures of the benchmarks have in common: letters,
// colours, and a page with a title above and small print below, as a PNG.
//
//	┌────────────────────────┐
//	│ Title                  │
//	│ subtitle               │
//	│  ┌──────────────────┐  │
//	│  │ Body: the plots  │  │
//	│  └──────────────────┘  │
//	│ small print            │
//	└────────────────────────┘
//
// Lengths are those of [gonum.org/v1/plot/vg]: points, 72 to an inch.
package picture
