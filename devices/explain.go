package devices

import (
	"net/http"
	"strings"
)

// Explanation says how a device was resolved, for people and not for the way of
// a request: it allocates. Signals and Rule are of the rules of this version.
type Explanation struct {
	Device Device
	// Header is the name of the header that decided, empty for [ByDefault].
	Header string
	// Signals are what the User-Agent says, whether or not that decided.
	Signals []Signal
	// Rule is the rule that the User-Agent meets, such as "tv: says screen and
	// Android"; empty if it meets none. Another header may have been stronger.
	Rule string
}

// Signal is one thing that a user agent says, and the token that says it: # in
// it is a digit, @ a letter, and %% the inches of a television's screen.
type Signal struct {
	Name  string
	Token string
}

// Explain is [Resolver.Resolve] with its reasons. Its errors are the same.
func (r *Resolver) Explain(h http.Header) (Explanation, error) {
	d, err := r.Resolve(h)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Device: d, Header: r.decisive(h, d.By)}
	if agents := h[agentName]; len(agents) > 0 {
		e.Signals, e.Rule = r.agents.explain(agents[0])
	}
	return e, nil
}

// decisive returns the name of the header that decided. Desktop may be said by
// two of them, of which the hints are the stronger.
func (r *Resolver) decisive(h http.Header, by By) string {
	switch by {
	case ByHeader:
		return r.name
	case ByFormFactors:
		return formFactorsName
	case ByMobileHint:
		return mobileName
	case ByUserAgent:
		return agentName
	case ByDesktop:
		if r.hinted(h).Profile != nil {
			return formFactorsName
		}
		return agentName
	}
	return ""
}

func (a *agentReader) explain(agent string) (list []Signal, met string) {
	said, names := a.read(agent), signalNames()
	for s := range signalCount {
		if said.seen&s.bit() != 0 {
			list = append(list, Signal{names[s], a.tokens[said.first[s]].body})
		}
	}
	if r := a.decide(said.seen); r != nil {
		met = r.text(names)
	}
	return list, met
}

// text is the rule in words.
func (r *rule) text(names [signalCount]string) string {
	text := strings.TrimPrefix(string(r.class), "*") + ": says " + strings.Join(r.all.list(names), " and ")
	if r.none != 0 {
		text += ", not " + strings.Join(r.none.list(names), " or ")
	}
	return text
}

func (set signals) list(names [signalCount]string) (list []string) {
	for s := range signalCount {
		if set&s.bit() != 0 {
			list = append(list, names[s])
		}
	}
	return list
}

func signalNames() (names [signalCount]string) {
	for _, group := range words() {
		names[group.gives] = group.name
	}
	return names
}
