package devices

// pairs is an index of tokens by their first two bytes.
type pairs [codes * codes][]uint16

// of returns the indexes of the tokens that may begin with two bytes.
func (p *pairs) of(first, second code) []uint16 { return p[int(first)*codes+int(second)] }

func (p *pairs) add(t *token, index int) {
	for _, first := range codesOf(t.body[0]) {
		for _, second := range codesOf(t.body[1]) {
			list := &p[int(first)*codes+int(second)]
			*list = append(*list, uint16(index)) //nolint:gosec // a test holds the table of tokens to fewer
		}
	}
}

// A code is a kind of byte. Letters, in either case, and digits have codes of
// their own; what else there is shares the rest.
type code uint8

const (
	codes     = 64
	wordCodes = letters + digits
	letters   = 26
	digits    = 10
)

func codeOf(b byte) code {
	switch c := lower(b); {
	case isLower(c):
		return code(c - 'a')
	case isDigit(c):
		return code(letters + c - '0')
	}
	return code(wordCodes + b%(codes-wordCodes))
}

func (c code) inWord() bool { return c < wordCodes }

// codesOf returns the codes of the bytes that fit one of a token.
func codesOf(pattern byte) []code {
	switch pattern {
	case '#', inch:
		return codesFrom('0', '9')
	case '@':
		return codesFrom('a', 'z')
	}
	return codesFrom(pattern, pattern)
}

func codesFrom(first, last byte) (list []code) {
	for b := first; b <= last; b++ {
		list = append(list, codeOf(b))
	}
	return list
}
