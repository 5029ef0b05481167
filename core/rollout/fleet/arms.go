package fleet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
	"github.com/facet-gateway/facet/devices"
)

// armKey names a rollout.
type armKey struct {
	class devices.Class
	name  string
}

func (k armKey) String() string { return string(k.class) + "/" + k.name }

// meters count the requests of the active rollouts, each during its step. A map
// never changes.
type meters map[armKey]*meter

type meter struct {
	since time.Time
	*guard.Meter
}

// newMeters returns the meters of a state, and keeps those that go on.
func newMeters(s *rollout.State, before meters) meters {
	next := make(meters)
	for class, l := range s.Classes {
		for i := range l.Rollouts {
			r, key := &l.Rollouts[i], armKey{class, l.Rollouts[i].Name}
			if r.Status != rollout.Running && r.Status != rollout.Paused {
				continue
			}
			if m := before[key]; m != nil && m.since.Equal(r.Since) {
				next[key] = m
			} else {
				next[key] = &meter{r.Since, guard.NewMeter(r.Since)}
			}
		}
	}
	return next
}

// gone is the status of a request whose client went away: nobody knows what would
// have become of it.
const gone = 499

// Seen counts a request that was assigned by chance. Those that a person chose the
// version of say nothing about how it compares.
func (f *Fleet) Seen(s *rollout.Seen) {
	if s.Arm == rollout.Neither {
		return
	}
	if s.Arm == rollout.Candidate && s.Panicked {
		f.panicked(s)
	}
	m := (*f.meters.Load())[armKey{s.Class, s.Rollout}]
	if m == nil || s.Status == gone {
		return // the rollout has ended meanwhile
	}
	outcome := guard.Outcome{Took: s.Took, Bytes: s.Bytes, Failed: s.Failed(), Degraded: s.Degraded(), Panicked: s.Panicked}
	if s.Arm == rollout.Candidate {
		m.Candidate(f.Now(), outcome)
	} else {
		m.Control(f.Now(), outcome)
	}
}

// observed is what this replica tells the others.
func (f *Fleet) observed() (json.RawMessage, error) {
	all := make(map[string]guard.Tally)
	for key, m := range *f.meters.Load() {
		all[key.String()] = m.Tally(f.Now())
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode what requests came to: %w", err)
	}
	return text, nil
}

// sums adds up what the replicas tell of what is counted here now. What cannot be read
// is left out: its replica is of another build, or broken.
func (f *Fleet) sums(replicas []rollout.Replica) map[armKey]guard.Tally {
	told := make([]map[string]guard.Tally, 0, len(replicas))
	for _, r := range replicas {
		var all map[string]guard.Tally
		if json.Unmarshal(r.Observed, &all) == nil {
			told = append(told, all)
		}
	}
	total := make(map[armKey]guard.Tally)
	for key, m := range *f.meters.Load() {
		sum := guard.Tally{Since: m.since, Window: guard.Window(m.since, f.Now())}
		for _, all := range told {
			if one, there := all[key.String()]; there {
				_ = sum.Add(&one) // of another step, or rubbish: it is left out
			}
		}
		total[key] = sum
	}
	return total
}
