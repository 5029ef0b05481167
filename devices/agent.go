package devices

// maxAgentBytes is how much of a user agent is read; what real devices send is
// under 1 KiB.
const maxAgentBytes = 2048

// agentReader reads a user agent in one pass: it looks for the tokens of the
// table, notes which signals they give, and takes the first rule that holds.
// Tokens are found by their first two bytes and most of them only where a word
// starts, so the cost is the agent's length times the one or two tokens that
// may be there.
type agentReader struct {
	tokens []token
	inside *pairs // what may begin within a word
	starts *pairs // what may begin where a word starts
	rules  []agentChoice
}

// agentChoice is a rule whose class has a profile.
type agentChoice struct {
	rule
	profile *Profile
	by      By
}

func newAgentReader(classes map[Class]*Profile, desktopProfile *Profile) *agentReader {
	a := &agentReader{tokens: tokens(), inside: new(pairs), starts: new(pairs)}
	for i := range a.tokens {
		a.starts.add(&a.tokens[i], i)
		if a.tokens[i].starts != ofWord {
			a.inside.add(&a.tokens[i], i)
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
	said := a.read(agent)
	r := a.decide(said.seen)
	if r == nil {
		return Device{}
	}
	return Device{Profile: r.profile, By: r.by, Evidence: a.tokens[said.first[r.evidence]].body}
}

// decide returns the first rule that holds, nil if none does.
func (a *agentReader) decide(seen signals) *agentChoice {
	for i := range a.rules {
		if a.rules[i].holds(seen) {
			return &a.rules[i]
		}
	}
	return nil
}

// reading is the signals of an agent, and for each the first token that gave it.
type reading struct {
	seen  signals
	first [signalCount]uint16 // indexes into the tokens
}

func (a *agentReader) read(agent string) (s reading) {
	agent = agent[:min(len(agent), maxAgentBytes)]
	if agent == "" {
		return s
	}
	table, first := a.starts, codeOf(agent[0])
	for i := 1; i < len(agent); i++ {
		second := codeOf(agent[i])
		if list := table.of(first, second); len(list) > 0 {
			a.try(list, agent, i-1, &s)
		}
		table = a.starts
		if first.inWord() {
			table = a.inside
		}
		first = second
	}
	return s
}

// try notes the signals of the tokens that stand at byte i of the agent.
func (a *agentReader) try(list []uint16, agent string, i int, s *reading) {
	for _, n := range list {
		t := &a.tokens[n]
		if s.seen&t.gives.bit() == 0 && t.at(agent, i) {
			s.seen |= t.gives.bit()
			s.first[t.gives] = n
		}
	}
}
