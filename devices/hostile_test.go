package devices_test

import (
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/devices"
)

// hostile is 64 KiB of a text.
func hostile(text string) string { return strings.Repeat(text, 64<<10/len(text)) }

// A header of 64 KiB that nearly holds a token, again and again, must not cost
// more than a long one. The bound leaves room for a busy machine and the race
// detector; what is quadratic in the length takes a hundred times as long.
func TestHostileAgentsAreCheap(t *testing.T) {
	const bound = 50 * time.Millisecond
	r := newResolver(t, devices.Options{})
	near := []string{"a", " ", "1", "5 ", "x5", " 5", "(((", "\xff", " 55x", " sm-", "build/", "Linux "}
	for _, token := range devices.Tokens() {
		text := sample(token.Token)
		near = append(near, " "+text[:len(text)-1], text[:1])
	}
	for _, text := range near {
		if took := quickest(t, r, hostile(text)); took > bound {
			t.Errorf("64 KiB of %q took %v, at most %v is allowed", text, took, bound)
		}
	}
}

// quickest is the least time of a few, which a pause of the machine does not
// make longer.
func quickest(t *testing.T, r *devices.Resolver, agent string) time.Duration {
	t.Helper()
	h := header("User-Agent", agent)
	least := time.Hour
	for range 3 {
		start := time.Now()
		if _, err := r.Resolve(h); err != nil {
			t.Fatal(err)
		}
		least = min(least, time.Since(start))
	}
	return least
}
