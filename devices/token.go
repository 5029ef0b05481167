package devices

import "strings"

// token is a word of the table, compiled.
type token struct {
	gives  signal
	body   string // in lower case; # is a digit, @ a letter
	starts bool   // only at the start of a word
	ends   bool   // only at the end of one
}

func tokens() []token {
	var list []token
	for _, group := range words() {
		for _, word := range group.list {
			list = append(list, token{
				gives:  group.gives,
				body:   strings.Trim(word, " "),
				starts: strings.HasPrefix(word, " "),
				ends:   strings.HasSuffix(word, " "),
			})
		}
	}
	return list
}

// at reports whether the token stands at byte i of the agent, whose byte i is
// known to be the first of the token.
func (t *token) at(agent string, i int) bool {
	end := i + len(t.body)
	if end > len(agent) {
		return false
	}
	for j := 1; j < len(t.body); j++ {
		if !fits(t.body[j], lower(agent[i+j])) {
			return false
		}
	}
	if t.starts && i > 0 && isWord(agent[i-1]) {
		return false
	}
	return !t.ends || end == len(agent) || !isWord(agent[end])
}

func fits(pattern, c byte) bool {
	switch pattern {
	case '#':
		return isDigit(c)
	case '@':
		return isLower(c)
	}
	return c == pattern
}

func isWord(b byte) bool { return isDigit(b) || isLower(lower(b)) }
