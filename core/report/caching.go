package report

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// ParseCaching reads what an answer allows a shared cache (RFC 9111, section 5.2),
// and to stand in (stale-if-error of RFC 5861), from the lines of its Cache-Control and
// its Age. A private answer is not to be stored: the cache serves many users. Expires,
// Pragma and stale-while-revalidate are not read: when an old answer is used while it
// is renewed is the operator's choice, which no-cache and must-revalidate overrule.
func ParseCaching(control [][]byte, age []byte) Caching {
	r := cacheControl{maxAge: Unlimited, shared: Unlimited, stale: Unlimited}
	for _, line := range control {
		r.read(line)
	}
	caching := Caching{NoStore: r.noStore, MaxAge: r.maxAge, NoStale: r.noStale}
	if r.stale > 0 {
		caching.StaleFor = r.stale
	} else if r.stale == 0 {
		caching.NoStale = true
	}
	if r.shared != Unlimited {
		caching.MaxAge = r.shared
	}
	if caching.MaxAge > 0 {
		if past, err := seconds(age); err == nil {
			caching.MaxAge = max(caching.MaxAge-past, 0)
		}
	}
	return caching
}

type cacheControl struct {
	noStore, noStale      bool
	maxAge, shared, stale time.Duration
}

// read takes the directives of one header line, the strictest of each.
func (r *cacheControl) read(line []byte) {
	for len(line) > 0 {
		var directive []byte
		directive, line = cutDirective(line)
		name, value, _ := bytes.Cut(directive, []byte("="))
		r.apply(bytes.TrimSpace(name), bytes.Trim(value, " \t\""))
	}
}

func (r *cacheControl) apply(name, value []byte) {
	switch {
	case bytes.EqualFold(name, []byte("no-store")),
		bytes.EqualFold(name, []byte("no-cache")),
		bytes.EqualFold(name, []byte("private")):
		r.noStore = true
	case bytes.EqualFold(name, []byte("must-revalidate")), bytes.EqualFold(name, []byte("proxy-revalidate")):
		r.noStale = true
	case bytes.EqualFold(name, []byte("stale-if-error")):
		r.stale = stricter(r.stale, value)
	case bytes.EqualFold(name, []byte("max-age")):
		r.maxAge = stricter(r.maxAge, value)
	case bytes.EqualFold(name, []byte("s-maxage")):
		r.shared = stricter(r.shared, value)
	}
}

// cutDirective cuts at the first comma that is not in quotes.
func cutDirective(line []byte) (directive, rest []byte) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '\\' && quoted:
			i++
		case line[i] == ',' && !quoted:
			return line[:i], line[i+1:]
		}
	}
	return line, nil
}

// stricter returns the lesser limit; a value that is no number forbids reuse.
func stricter(limit time.Duration, value []byte) time.Duration {
	age, err := seconds(value)
	if err != nil {
		return 0
	}
	if limit == Unlimited {
		return age
	}
	return min(limit, age)
}

// seconds reads delta-seconds; what is over 2^31 counts as 2^31, as the RFC
// has it.
func seconds(text []byte) (time.Duration, error) {
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil && n != math.MaxInt32 {
		return 0, err
	}
	return time.Duration(n) * time.Second, nil
}
