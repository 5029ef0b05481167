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
	ofNumber      // none of a number, such as a digit or the dot of a version
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
	return t.sized(agent[i:end]) && t.ends.after(agent, end)
}

// sized reports whether the digits at the place of a screen's inches are some
// that televisions have.
func (t *token) sized(text string) bool {
	i := strings.IndexByte(t.body, inch)
	return i < 0 || isInches(text[i], text[i+1])
}

func (e edge) before(agent string, i int) bool {
	if i == 0 || e == anywhere {
		return true
	}
	b := agent[i-1]
	if e == ofWord {
		return !isWord(b)
	}
	return (isLower(lower(b)) || isJoint(b)) && !isTimes(agent, i-1)
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
