package command

import (
	"sync"
	"time"
)

// Budget bounds how much the retries and hedges of a service's commands may add
// to what it is asked: a share of the runs of the last 10 s, and a few a second
// beside, for a service that is asked seldom. So a service that fails is not
// asked several times as much for it. Only commands that may repeat count. It
// is after the retry budget of Finagle. Safe for concurrent use.
type Budget struct {
	now func() time.Time

	mu      sync.Mutex
	percent int // of the runs
	floor   int // a second
	seconds [10]spending
	refused uint64
}

// spending is what one second has seen.
type spending struct{ at, runs, repeats int64 }

// NewBudget returns a budget of 20 % and one a second.
func NewBudget() *Budget {
	return &Budget{now: time.Now, percent: DefaultRetryPercent, floor: DefaultRetryFloor}
}

// What a budget allows if nothing else is said.
const (
	DefaultRetryPercent = 20
	DefaultRetryFloor   = 1
)

// Configure says how many repeats are allowed from now on: percent of the runs,
// and floor a second beside.
func (b *Budget) Configure(percent, floor int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.percent, b.floor = percent, floor
}

// deposit counts a run. A command without a budget has none to spend.
func (b *Budget) deposit() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.second().runs++
}

// spend reports whether one more repeat is within the budget, and counts it.
func (b *Budget) spend() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.second()
	var runs, repeats int64
	for _, s := range b.seconds {
		if now.at-s.at < int64(len(b.seconds)) {
			runs, repeats = runs+s.runs, repeats+s.repeats
		}
	}
	if allowed := runs*int64(b.percent)/100 + int64(b.floor*len(b.seconds)); repeats >= allowed {
		b.refused++
		return false
	}
	now.repeats++
	return true
}

// refund takes back a repeat that was not made.
func (b *Budget) refund() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.second(); s.repeats > 0 { // else it was spent in another second, which keeps it
		s.repeats--
	}
}

func (b *Budget) second() *spending {
	at := b.now().Unix()
	s := &b.seconds[at%int64(len(b.seconds))]
	if s.at != at {
		*s = spending{at: at}
	}
	return s
}

// Refused returns how many repeats were over the budget.
func (b *Budget) Refused() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}
