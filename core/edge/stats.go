package edge

import "math"

// Stats is what a limiter does and has done, since it was made.
type Stats struct {
	Enabled       bool             `json:"enabled"`
	Limit         int              `json:"limit"`          // pages in progress from which on persons are refused
	PrefetchLimit int              `json:"prefetch_limit"` // the same of prefetches
	InProgress    int              `json:"in_progress"`
	Admitted      map[string]int64 `json:"admitted"` // by priority
	Refused       map[string]int64 `json:"refused"`  // by priority
	Late          int64            `json:"late"`     // pages over their target
	Lost          int64            `json:"lost"`     // pages that failed for want of time or room
	Cuts          int64            `json:"cuts"`     // of the limits
}

// Stats returns a consistent picture. It makes two small maps: it is for readers
// that come every few seconds.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Enabled: l.options.Enabled, Limit: int(math.Ceil(l.persons)), PrefetchLimit: int(math.Ceil(l.ahead)), InProgress: l.inProgress,
		Admitted: make(map[string]int64, 2), Refused: make(map[string]int64, 2),
		Late: l.counts.late, Lost: l.counts.lost, Cuts: l.counts.cuts,
	}
	for _, p := range Priorities() {
		s.Admitted[p.String()], s.Refused[p.String()] = l.counts.admitted[p], l.counts.refused[p]
	}
	return s
}
