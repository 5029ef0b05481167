package guard_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout/guard"
)

// TestSnapshotsHoldWhileOthersCount: each is valid, and the last has all.
func TestSnapshotsHoldWhileOthersCount(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 20_000 / fewer
	var r guard.Recorder
	var counting sync.WaitGroup
	for w := range writers {
		counting.Go(func() {
			for i := range each {
				r.Record(guard.Outcome{
					Took: time.Duration(i) * time.Microsecond, Bytes: 10_000, Failed: true, Degraded: w%2 == 0, Panicked: i%2 == 0,
				})
			}
		})
	}
	done := make(chan struct{})
	go func() { counting.Wait(); close(done) }()
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		c := r.Snapshot()
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if last && (c.Requests != writers*each || c.Failed != writers*each || c.Degraded != writers*each/2 || c.Panicked != writers*each/2) {
			t.Errorf("counted %d, %d, %d, %d", c.Requests, c.Failed, c.Degraded, c.Panicked)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	var r guard.Recorder
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Record(guard.Outcome{Took: time.Duration(i&0xff) * time.Millisecond, Bytes: 20_000, Degraded: i&7 == 0})
	}
}

func BenchmarkRecordParallel(b *testing.B) {
	var r guard.Recorder
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			r.Record(guard.Outcome{Took: time.Duration(i&0xff) * time.Millisecond, Bytes: 20_000, Degraded: i&7 == 0})
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	var r guard.Recorder
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Snapshot()
	}
}

func BenchmarkJSON(b *testing.B) {
	c := busy(100_000)
	text, err := json.Marshal(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var back guard.Counts
			if err := json.Unmarshal(text, &back); err != nil {
				b.Fatal(err)
			}
		}
	})
}
