package operator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// The bounds of a file.
const (
	maxFile   = 64 << 10 // bytes
	maxTokens = 100
)

const hashPrefix = "sha256:"

// prefix lets tools that look for leaked secrets tell a token by its form.
const prefix = "facet_"

// NameRule is what a name must be, for people.
const NameRule = "a-z, then at most 31 of a-z, 0-9, _ and -"

var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Error is one thing wrong with a file of tokens.
type Error struct {
	File    string
	Line    int    // from 1; 0: of the file as a whole
	Field   string // "name", "hash", "line" or "file"
	Message string // what is wrong, then what is allowed; it repeats no hash
}

// Error returns "FILE:LINE: field: what is wrong; allowed: …", in one line.
func (e Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", e.File, e.Field, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Field, e.Message)
}

// Errors is everything wrong with a file, in the order of its lines, and never empty.
type Errors []Error

const maxPrinted = 50

// Error returns a line for each of the first 50 errors, and one with the number of
// the others.
func (es Errors) Error() string {
	var lines []string
	for _, e := range es[:min(len(es), maxPrinted)] {
		lines = append(lines, e.Error())
	}
	if more := len(es) - maxPrinted; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", es[0].File, more))
	}
	return strings.Join(lines, "\n")
}

// New makes a token for an operator. The token is for the operator alone and is
// kept nowhere; the line is for the file.
func New(name string) (token, line string, err error) {
	if !validName.MatchString(name) {
		return "", "", fmt.Errorf("the name must be %s", NameRule)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // it never fails, the program would end
	token = prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	hash := sha256.Sum256([]byte(token))
	return token, name + " " + hashPrefix + hex.EncodeToString(hash[:]), nil
}

// Load reads a file. An error is [Errors], or one that wraps what the operating
// system said.
func Load(file string) (*Tokens, error) {
	f, err := os.Open(file) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	if problem := misplaced(info); problem != "" {
		return nil, Errors{{File: file, Field: "file", Message: problem}}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	return Parse(file, data)
}

const othersWrite = 0o022

// misplaced says why a file cannot be believed. A pipe or a device could be read
// without end.
func misplaced(info fs.FileInfo) string {
	switch {
	case !info.Mode().IsRegular():
		return "is no regular file; allowed: a file"
	case info.Mode().Perm()&othersWrite != 0:
		return fmt.Sprintf("others than its owner may write it (mode %04o), and so make operators; allowed: chmod go-w", info.Mode().Perm())
	}
	return ""
}

// Parse reads what a file of a name holds. An error is [Errors].
func Parse(file string, data []byte) (*Tokens, error) {
	if len(data) > maxFile {
		return nil, Errors{{File: file, Field: "file", Message: "is too long; allowed: at most 64 KiB"}}
	}
	r := reader{file: file, names: map[string]int{}, hashes: map[[sha256.Size]byte]int{}}
	for text := range strings.Lines(string(data)) {
		r.line++
		r.read(strings.TrimRight(text, "\r\n"))
	}
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return &r.tokens, nil
}

// reader reads line by line, and gathers all that is wrong.
type reader struct {
	file   string
	line   int
	names  map[string]int // the lines they are on
	hashes map[[sha256.Size]byte]int
	tokens Tokens
	errs   Errors
}

func (r *reader) fail(field, format string, args ...any) {
	r.errs = append(r.errs, Error{r.file, r.line, field, fmt.Sprintf(format, args...)})
}

func (r *reader) read(text string) {
	fields := strings.Fields(text)
	switch {
	case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
	case len(fields) != len([]string{"name", "hash"}):
		r.fail("line", "has %d words; allowed: NAME %sHASH, as `facet token NAME` prints it", len(fields), hashPrefix)
	case len(r.tokens.list) == maxTokens:
		r.fail("line", "is one too many; allowed: at most %d operators", maxTokens)
	default:
		r.add(fields[0], fields[1])
	}
}

func (r *reader) add(name, text string) {
	hash, err := parseHash(text)
	if !validName.MatchString(name) {
		r.fail("name", "%q is none; allowed: %s", shorten(name), NameRule)
		return
	}
	if err != nil {
		r.fail("hash", "%v; allowed: %s and 64 of 0-9 and a-f, as `facet token NAME` prints it", err, hashPrefix)
		return
	}
	if line, twice := r.names[name]; twice {
		r.fail("name", "%q is there twice, first on line %d; allowed: once", name, line)
		return
	}
	if line, twice := r.hashes[hash]; twice {
		r.fail("hash", "is the one of line %d; allowed: a token of one's own", line)
		return
	}
	r.names[name], r.hashes[hash] = r.line, r.line
	r.tokens.list = append(r.tokens.list, entry{name, hash})
}

// parseHash says nothing of the text: it may be a token, put there by mistake.
func parseHash(text string) (hash [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if strings.HasPrefix(text, prefix) {
		return hash, errors.New("is a token, which belongs in no file of the gateway's")
	}
	if !ok || len(digits) != hex.EncodedLen(len(hash)) || digits != strings.ToLower(digits) {
		return hash, errors.New("is none")
	}
	if _, err := hex.Decode(hash[:], []byte(digits)); err != nil {
		return hash, errors.New("is none")
	}
	return hash, nil
}

const maxShown = 40

func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
