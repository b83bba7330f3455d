package ecv

// Verdict is what becomes of a session or a stream. A higher one is better.
type Verdict uint8

const (
	Deny   Verdict = iota // refused
	StepUp                // good for confirmation only: a PIN, or the word of another owner
	Allow                 // let in
)

// String returns the verdict's name on the wire and in logs.
func (v Verdict) String() string {
	switch v {
	case Deny:
		return "deny"
	case StepUp:
		return "step_up"
	case Allow:
		return "allow"
	}
	return "undefined"
}

// Judgement is a verdict and how it came about. It holds no values, so it may
// be told to the device and written to a log.
type Judgement struct {
	Verdict Verdict
	Score   uint16   // the weight of all matched features
	Reasons []Reason // first the state of each feature that has a weight, then what lowered the verdict
}

// Judge judges by the policy's own demand. The verdict is
//
//	Allow   if the score reaches Allow, all mandatory features match, and Geo is not Impossible
//	StepUp  else, if the score reaches StepUp
//	Deny    else
func (p *Policy) Judge(f Findings) Judgement {
	return p.judge(f, Demand{Allow: p.Allow, Mandatory: p.Mandatory})
}

// JudgeService judges by the demand of one service: its own, or else the
// policy's. Each stream is judged by it.
func (p *Policy) JudgeService(f Findings, service string) Judgement {
	for _, d := range p.Services {
		if d.Service == service {
			return p.judge(f, d)
		}
	}
	return p.Judge(f)
}

// JudgeSession returns the best that any of the granted services would get. A
// session is opened by it. The services "*" are all: those with a demand of
// their own, and one without. No service at all gets nothing.
func (p *Policy) JudgeSession(f Findings, services []string) (best Judgement) {
	for i, service := range services {
		for k, j := range p.judgeGranted(f, service) {
			if i+k == 0 || j.Verdict > best.Verdict {
				best = j
			}
		}
	}
	return best
}

func (p *Policy) judgeGranted(f Findings, service string) []Judgement {
	if service != "*" {
		return []Judgement{p.JudgeService(f, service)}
	}
	all := []Judgement{p.Judge(f)}
	for _, d := range p.Services {
		all = append(all, p.judge(f, d))
	}
	return all
}

func (p *Policy) judge(f Findings, d Demand) Judgement {
	j := Judgement{Score: p.weight(f.matched()), Reasons: p.states(f)}
	complete := d.Mandatory&^f.matched() == 0
	enough := j.Score >= d.Allow
	switch {
	case complete && enough && f[Geo] != Impossible:
		j.Verdict = Allow
	case j.Score >= p.StepUp:
		j.Verdict = StepUp
	}
	if !complete {
		j.Reasons = append(j.Reasons, MandatoryMissing)
	}
	if !enough {
		j.Reasons = append(j.Reasons, ScoreLow)
	}
	return j
}

// matched returns the features that match.
func (f Findings) matched() (s Set) {
	for feature, state := range f {
		if state == Matched {
			s |= SetOf(Feature(feature))
		}
	}
	return s
}
