package shadow_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/facet-gateway/facet/core/shadow"
)

// TestSampled: as many as the share says, to four standard deviations, by id and by
// chance; the same ones each time, and of a larger share all of a smaller one's.
func TestSampled(t *testing.T) {
	const requests = 200_000
	for _, share := range []int{-1, 0, 1, 100, 1000, 5000, 9999, 10_000, 20_000} {
		byID, byChance := 0, 0
		for i := range requests {
			id := fmt.Sprintf("request-%d", i)
			if shadow.Sampled(share, id) {
				byID++
				if !shadow.Sampled(share, id) || !shadow.Sampled(share+1, id) {
					t.Fatalf("%s of %d is not in it any more", id, share)
				}
			}
			if shadow.Sampled(share, "") {
				byChance++
			}
		}
		p := float64(min(max(share, 0), shadow.Whole)) / shadow.Whole
		spread := 4 * math.Sqrt(requests*p*(1-p))
		for _, n := range []int{byID, byChance} {
			if math.Abs(float64(n)-requests*p) > spread {
				t.Errorf("%d of %d in a share of %d", n, requests, share)
			}
		}
	}
}

func BenchmarkSampled(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		shadow.Sampled(1000, "0b6f7f0ce6c94d0e8a1c5b6d7e8f9a0b")
	}
}
