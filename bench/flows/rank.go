package flows

// Rank is how much a thread is preferred to others.
type Rank int32

// The ranks.
const (
	RankNone     Rank = iota // it waits for its turn, like all others
	RankNice                 // it has the largest share
	RankRealTime             // it runs whenever it has something to do
)

func (r Rank) String() string {
	return [...]string{RankNone: "none", RankNice: "nice", RankRealTime: "real time"}[r]
}
