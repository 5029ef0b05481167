package devices_test

import (
	"fmt"
	"math/rand/v2"
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
	near := []string{" ", "1", "5 ", "x5", " 5", "(((", "\xff", " 55x", "55fe5", "a", "55fe55fe-", " sm-", "build/", "Linux "}
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

// Apps send identifiers, which are full of numbers: few may be taken for the
// inches of a screen.
func TestIdentifiersAreNoNames(t *testing.T) {
	const all, allowed = 2000, 100
	r := newResolver(t, devices.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	wrong := 0
	for range all {
		high, low := random.Uint64(), random.Uint64()
		id := fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", high>>32, high>>16&0xffff, high&0xfff, low>>48, low&(1<<48-1))
		d, err := r.Resolve(header("User-Agent", android("14", "QX1", chromeM)+" Acme/5 (id "+id+")"))
		if err != nil {
			t.Fatal(err)
		}
		if d.Profile.Class != devices.Phone {
			wrong++
		}
	}
	if wrong > allowed {
		t.Errorf("%d of %d identifiers made a phone something else, at most %d are allowed", wrong, all, allowed)
	}
}
