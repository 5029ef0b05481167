package devices

import "strings"

// token is a word of the table, compiled.
type token struct {
	gives  signal
	body   string // in lower case; see words
	starts edge   // what must be before it
	ends   edge   // and after it
}

// edge is what a token asks of the byte beside it.
type edge uint8

const (
	anywhere edge = iota
	ofWord        // no letter or digit
	ofNumber      // what a number in a model's name has there; see inName
)

// The marks of an edge at the end of a word in the table.
const (
	wordMark   = ' '
	numberMark = '|'
)

func tokens() []token {
	var list []token
	for _, group := range words() {
		for _, word := range group.list {
			list = append(list, token{
				gives:  group.gives,
				body:   strings.Trim(word, string(wordMark)+string(numberMark)),
				starts: edgeOf(word[0]),
				ends:   edgeOf(word[len(word)-1]),
			})
		}
	}
	return list
}

func edgeOf(mark byte) edge {
	switch mark {
	case wordMark:
		return ofWord
	case numberMark:
		return ofNumber
	}
	return anywhere
}

// at reports whether the token stands at byte i of the agent.
func (t *token) at(agent string, i int) bool {
	end := i + len(t.body)
	if end > len(agent) || !t.starts.before(agent, i) {
		return false
	}
	for j := range len(t.body) {
		if !fits(t.body[j], lower(agent[i+j])) {
			return false
		}
	}
	return t.sized(agent, i) && t.ends.after(agent, end)
}

// sized reports whether the digits at the place of a screen's inches, if the
// token has that, are some that televisions have. A word of no letters beyond f
// is an identifier in hexadecimal, which has such digits by chance.
func (t *token) sized(agent string, i int) bool {
	at := strings.IndexByte(t.body, inch)
	return at < 0 || isInches(agent[i+at], agent[i+at+1]) && !isHex(agent[max(0, i-mostOfWord):i], agent[i:min(len(agent), i+mostOfWord)])
}

// mostOfWord is how many bytes of a word are read on either side of a place, so
// that the cost of a long word is bounded.
const mostOfWord = 12

// isHex holds for a word that is hexadecimal, of which one part ends the first
// text and the other begins the second.
func isHex(before, after string) bool {
	for i := len(before) - 1; i >= 0 && isWord(before[i]); i-- {
		if lower(before[i]) > 'f' {
			return false
		}
	}
	for i := 0; i < len(after) && isWord(after[i]); i++ {
		if lower(after[i]) > 'f' {
			return false
		}
	}
	return true
}

func (e edge) before(agent string, i int) bool {
	if i == 0 || e == anywhere {
		return true
	}
	if e == ofWord {
		return !isWord(agent[i-1])
	}
	return inName(agent[:i])
}

// inName reports whether a text ends where the first number in a word of a
// model's name may be: after letters, if any, and what joins such words. The
// numbers of versions and resolutions are not there, nor those of identifiers
// whose dashes join digits.
func inName(text string) bool {
	first := max(0, len(text)-mostOfWord)
	for i := len(text) - 1; i >= first; i-- {
		if b := text[i]; !isLower(lower(b)) {
			return isJoint(b) && (b != '-' || i == 0 || !isDigit(text[i-1]))
		}
	}
	return first == 0
}

func (e edge) after(agent string, end int) bool {
	if end == len(agent) || e == anywhere {
		return true
	}
	b := agent[end]
	if e == ofWord {
		return !isWord(b)
	}
	return !isDigit(b) && b != '.' && !isTimes(agent, end)
}

// isTimes holds for the x of a resolution, such as 720x1280.
func isTimes(agent string, i int) bool {
	return lower(agent[i]) == 'x' && i > 0 && isDigit(agent[i-1]) && i+1 < len(agent) && isDigit(agent[i+1])
}

// isJoint holds for what stands between the words of a model's name.
func isJoint(b byte) bool { return b == ' ' || b == '-' || b == '_' || b == '(' }

// inch is, twice, the inches of a television's screen.
const inch = '%'

func fits(pattern, c byte) bool {
	switch pattern {
	case '#', inch:
		return isDigit(c)
	case '@':
		return isLower(c)
	}
	return c == pattern
}

func isWord(b byte) bool { return isDigit(b) || isLower(lower(b)) }
