package edge

import (
	"fmt"
	"net/textproto"
	"strings"
	"time"
)

// Options is what the configuration says about admission. Every field has to be
// in its range, see [Options.Validate].
type Options struct {
	Enabled  bool     // false: everything is admitted, counted, and nothing is learnt
	Min      int      // pages in progress below which nothing is ever refused; 1 to Max
	Max      int      // pages in progress above which everything is; 1 to 100,000
	Target   int      // percent of its budget after which a page is late, where pages do not always take as long; 1 to 100
	Prefetch Prefetch // what is known as prefetched, and its share
}

// Prefetch says which requests nobody waits for, beside those with
// `Sec-Purpose: prefetch`, and how much they may take.
type Prefetch struct {
	Percent int    // of the persons' limit that is open to prefetches; 1 to 100
	Urgency int    // of the header Priority (RFC 9218), from which on a request is a prefetch; 1 to 8, where 8 is never
	Header  string // "Name: value" of a header that says so too; "": none
}

// HeaderName is the name of Header, in its canonical form; "" without one.
func (p Prefetch) HeaderName() string {
	name, _, _ := cutHeader(p.Header)
	return name
}

// DefaultOptions returns the options of a file that says nothing.
func DefaultOptions() Options {
	return Options{Enabled: true, Min: 8, Max: 2000, Target: 25, Prefetch: Prefetch{Percent: 50, Urgency: 6}}
}

const maxPages = 100_000

// RangeError says which field of the options is out of its range.
type RangeError struct {
	Field   string // as the configuration spells it, such as "prefetch.percent"
	Allowed string // such as "1 to 100"
}

// Error names the field and what is allowed.
func (e *RangeError) Error() string {
	return fmt.Sprintf("admission.%s: must be %s", e.Field, e.Allowed)
}

// Validate returns a [*RangeError] for the first field out of its range.
func (o Options) Validate() error {
	header := o.Prefetch.Header
	name, _, good := cutHeader(header)
	checks := [...]struct {
		ok             bool
		field, allowed string
	}{
		{o.Max >= 1 && o.Max <= maxPages, "max", "1 to 100000"},
		{o.Min >= 1 && o.Min <= o.Max, "min", "1 to max"},
		{o.Target >= 1 && o.Target <= 100, "target_percent", "1 to 100"},
		{o.Prefetch.Percent >= 1 && o.Prefetch.Percent <= 100, "prefetch.percent", "1 to 100"},
		{o.Prefetch.Urgency >= 1 && o.Prefetch.Urgency <= noUrgency, "prefetch.urgency", "1 to 8"},
		{header == "" || good, "prefetch.header", `a name and a value, such as "X-Prefetch: 1"`},
		{!strings.EqualFold(name, "host"), "prefetch.header", "another header than Host"},
	}
	for _, c := range checks {
		if !c.ok {
			return &RangeError{Field: c.field, Allowed: c.allowed}
		}
	}
	return nil
}

// cutHeader splits "Name: value"; the name comes in its canonical form.
func cutHeader(line string) (name, value string, ok bool) {
	name, value, found := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	ok = found && len(line) <= 256 && name != "" && strings.Trim(name, nameBytes) == "" && value != "" && printable(value)
	return textproto.CanonicalMIMEHeaderKey(name), value, ok
}

// nameBytes are what the name of a header is made of (RFC 9110, 5.6.2).
const nameBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// The rule's constants. They are no settings, because what they would be set by
// is what the limiter measures.
const (
	shortest   = 100 * time.Millisecond // a window; less is noise
	longest    = time.Second            // a window of few pages
	enough     = 20                     // pages for a window that is not as long
	tolerated  = 0.1                    // of the pages of a window may be late
	kept       = 0.8                    // of what was in progress when pages were late
	keptOfLost = 0.5                    // the same, when most of them were lost
	byFar      = 1.5                    // times the target
	growth     = 0.1                    // of a limit, a window; twice that before the first cut
	patience   = 1.25                   // times what pages take in quiet times is never late
	calm       = 5 * time.Second        // without a late window or a person refused: the persons' limit is the maximum again
	cutsToHalf = 3                      // times kept are a half
	startTimes = 2                      // Min: where prefetches begin
)
