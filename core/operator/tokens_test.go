package operator_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/operator"
)

// hundred returns as many operators as there can be, and their tokens in order.
func hundred(t testing.TB) (*operator.Tokens, []string) {
	t.Helper()
	var text strings.Builder
	var list []string
	for i := range 100 {
		token, line := made(t, "x"+strings.Repeat("y", i%30)+string(rune('a'+i%26))+string(rune('a'+i/26)))
		list = append(list, token)
		text.WriteString(line + "\n")
	}
	tokens, err := operator.Parse("f", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return tokens, list
}

func TestRoster(t *testing.T) {
	t.Parallel()
	var nobody *operator.Roster
	if _, found := nobody.Find("x"); found || nobody.Len() != 0 {
		t.Error("nobody is somebody")
	}
	var r operator.Roster
	tokens, list := hundred(t)
	if _, found := r.Find(list[0]); found {
		t.Error("an empty roster knows somebody")
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 200 {
				r.Find(list[1])
				r.Len()
			}
		})
	}
	r.Use(tokens)
	readers.Wait()
	if _, found := r.Find(list[0]); !found || r.Len() != 100 {
		t.Error("not found")
	}
	r.Use(nil)
	if _, found := r.Find(list[0]); found {
		t.Error("still found after it was taken away")
	}
}

// TestFindTakesOneTime: with a hundred operators, one that stopped at the first
// match would find the first in a tenth of the time that it takes for none.
func TestFindTakesOneTime(t *testing.T) {
	tokens, list := hundred(t)
	none, _ := made(t, "none")
	asked := []string{list[0], list[99], none, "x" + none[1:]}
	best := make([]time.Duration, len(asked))
	for i := range best {
		best[i] = time.Hour
	}
	for range 300 { // in turns; the best time is the one that nothing disturbed
		for i, token := range asked {
			began := time.Now()
			for range 10 {
				tokens.Find(token)
			}
			best[i] = min(best[i], time.Since(began))
		}
	}
	for i, took := range best {
		if took > 2*best[0] || best[0] > 2*took {
			t.Errorf("token %d takes %v, the first one %v", i, took, best[0])
		}
	}
}

func BenchmarkFind(b *testing.B) {
	tokens, list := hundred(b)
	none, _ := made(b, "none")
	_, line := made(b, "one")
	one, err := operator.Parse("f", []byte(line))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		tokens *operator.Tokens
		token  string
	}{{"one operator", one, none}, {"first of 100", tokens, list[0]}, {"last of 100", tokens, list[99]}, {"none of 100", tokens, none}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.tokens.Find(c.token)
			}
		})
	}
}
