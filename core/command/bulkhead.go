package command

import "sync/atomic"

// bulkhead is the limit on runs in progress. A ticket is held until the run has
// really returned, so that hung calls cannot pile up.
type bulkhead struct{ inUse atomic.Int64 }

func (b *bulkhead) enter(limit int) bool {
	for {
		n := b.inUse.Load()
		if n >= int64(limit) {
			return false
		}
		if b.inUse.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (b *bulkhead) leave() { b.inUse.Add(-1) }

// exceed takes a ticket whatever the limit: for what runs all the same.
func (b *bulkhead) exceed() { b.inUse.Add(1) }
