package fleet

import "github.com/facet-gateway/facet/core/rollout"

// Health is how the rollouts are in numbers, for who watches many replicas.
type Health struct {
	Revision    uint64                 // that this replica answers by
	Available   bool                   // the store is
	Replicas    int                    // those that live, as far as is known
	Rollouts    map[rollout.Status]int // those of the document
	Waiting     int                    // whose time has come, but not enough requests
	Quarantined int                    // versions, those that only this replica has taken out included
}

// Health returns it. It takes some 10 µs for 1,000 rollouts.
func (f *Fleet) Health() Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := Health{
		Revision: f.state.Revision, Available: f.away == nil && f.deaf == nil, Replicas: len(f.others),
		Rollouts: make(map[rollout.Status]int), Quarantined: len(f.ownOuts),
	}
	for _, l := range f.state.Classes {
		h.Quarantined += len(l.Quarantine)
		for i := range l.Rollouts {
			h.Rollouts[l.Rollouts[i].Status]++
		}
	}
	for _, j := range f.found {
		if j.waits != "" {
			h.Waiting++
		}
	}
	return h
}
