package devices

// maxAgentBytes is how much of a user agent is read; what real devices send is
// under 1 KiB.
const maxAgentBytes = 2048

// agentReader reads a user agent in one pass: it looks for the tokens of the
// table, notes which signals they give, and takes the first rule that holds.
// Tokens are found by their first byte, so the cost is the agent's length
// times the few tokens that share it.
type agentReader struct {
	tokens []token
	byHead [256][]int // indexes into tokens, by first byte in either case
	rules  []agentChoice
}

// agentChoice is a rule whose class has a profile.
type agentChoice struct {
	rule
	profile *Profile
	by      By
}

func newAgentReader(classes map[Class]*Profile, desktopProfile *Profile) *agentReader {
	a := &agentReader{tokens: tokens()}
	for i, t := range a.tokens {
		head := t.body[0]
		a.byHead[head] = append(a.byHead[head], i)
		if isLower(head) {
			upper := head - ('a' - 'A')
			a.byHead[upper] = append(a.byHead[upper], i)
		}
	}
	for _, rule := range rules() {
		by := ByUserAgent
		if rule.class == desktop {
			by = ByDesktop
		}
		if p := choose([]Class{rule.class}, classes, desktopProfile); p != nil {
			a.rules = append(a.rules, agentChoice{rule, p, by})
		}
	}
	return a
}

// device returns the device that the first matching rule names, and a zero one
// where no rule does.
func (a *agentReader) device(agent string) Device {
	if len(agent) > maxAgentBytes {
		agent = agent[:maxAgentBytes]
	}
	seen, first := a.read(agent)
	for i := range a.rules {
		r := &a.rules[i]
		if seen&r.all == r.all && seen&r.none == 0 {
			return Device{Profile: r.profile, By: r.by, Evidence: a.tokens[first[r.evidence]].body}
		}
	}
	return Device{}
}

// read returns the signals of an agent, and for each the first token that gave
// it.
func (a *agentReader) read(agent string) (seen signals, first [signalCount]int) {
	for i := range len(agent) {
		for _, n := range a.byHead[agent[i]] {
			t := &a.tokens[n]
			if seen&t.gives.bit() == 0 && t.at(agent, i) {
				seen |= t.gives.bit()
				first[t.gives] = n
			}
		}
	}
	return seen, first
}
