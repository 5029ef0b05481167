package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/rollout/guard"
)

// Status is how the rollouts are, for people.
type Status struct {
	Revision uint64       `json:"revision"`       // that this replica answers by
	Store    string       `json:"store"`          // "available", or why it is not
	Replica  string       `json:"replica"`        // this one
	Replicas []ReplicaAt  `json:"replicas"`       // those that live, as far as is known
	Rollouts []Comparison `json:"rollouts"`       // the active ones
	Confined []string     `json:"taken_out_here"` // versions that the store has not heard of yet
}

// ReplicaAt is which revision a replica answers by.
type ReplicaAt struct {
	ID       string    `json:"id"`
	Revision uint64    `json:"revision"`
	At       time.Time `json:"at"`
	Lacks    []string  `json:"lacks,omitempty"` // versions that its build has not: their units have control there
}

// Comparison is how a candidate does beside control, since its share began.
type Comparison struct {
	Class     string    `json:"class"`
	Rollout   string    `json:"rollout"`
	Since     time.Time `json:"since"` // when the share began
	Control   Arm       `json:"control"`
	Candidate Arm       `json:"candidate"`
	Judged    bool      `json:"judged"`            // whether its guard has enough requests of both to say something
	Verdict   string    `json:"verdict,omitempty"` // why the candidate is worse
	Waits     string    `json:"waits,omitempty"`   // why its plan does not go on though its time has come
}

// Arm is what the requests of one arm came to since the share began, on all replicas.
type Arm struct {
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	Degraded uint64 `json:"degraded"`
	Panicked uint64 `json:"panicked"`

	P50 float64 `json:"p50_ms"` // at most so many milliseconds half of them took; 0 if there are none
	P99 float64 `json:"p99_ms"` // likewise of 99 in a hundred
}

func armOf(c *guard.Counts) Arm {
	p50, p99 := c.Quantiles()
	return Arm{c.Requests, c.Failed, c.Degraded, c.Panicked, p50, p99}
}

// Status returns how the rollouts are.
func (f *Fleet) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Status{
		Revision: f.state.Revision, Store: "available", Replica: f.Replica,
		Replicas: []ReplicaAt{}, Rollouts: []Comparison{}, Confined: []string{},
	}
	switch {
	case f.away != nil:
		s.Store = f.away.Error()
	case f.deaf != nil:
		s.Store = "taking no changes: " + f.deaf.Error()
	}
	for _, r := range f.others {
		if r.ID == f.Replica { // what it has told is up to a second old
			r.Revision, r.At, r.Lacks = f.state.Revision, f.Now().UTC(), f.lacks
		}
		s.Replicas = append(s.Replicas, ReplicaAt{r.ID, r.Revision, r.At, r.Lacks})
	}
	for _, j := range f.found {
		s.Rollouts = append(s.Rollouts, Comparison{
			Class: string(j.key.class), Rollout: j.key.name, Since: j.sum.Since,
			Control: armOf(&j.sum.Control.Step), Candidate: armOf(&j.sum.Candidate.Step),
			Judged: j.judged, Verdict: j.verdict, Waits: j.waits,
		})
	}
	slices.SortFunc(s.Rollouts, func(a, b Comparison) int {
		return cmp.Or(strings.Compare(a.Class, b.Class), strings.Compare(a.Rollout, b.Rollout))
	})
	for _, out := range f.ownOuts {
		s.Confined = append(s.Confined, string(out.class)+"/"+out.version)
	}
	return s
}
