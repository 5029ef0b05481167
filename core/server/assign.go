package server

import (
	"cmp"
	"slices"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// Assigned is which version answers a unit, and why.
type Assigned struct {
	rollout.Assignment               // its Version also says which one the configuration names
	Apart              rollout.Apart // why no rollout has the unit
}

// Assign tells which version of an adapter's class would answer each of some units,
// all of them by one revision of the rollouts. Their requests have no header that a
// rule could admit. Nothing is counted. Safe for concurrent use; it is for the private
// port.
func (s *Server) Assign(class devices.Class, units []string) (all []Assigned, revision uint64) {
	plan := &rollout.Plan{}
	if s.Rollouts != nil {
		plan = s.Rollouts.Plan()
	}
	control := s.controlBy(plan, class, s.Live().configured(class))
	all = make([]Assigned, len(units))
	for i, unit := range units {
		all[i] = Assigned{plan.Assign(class, unit, nil), plan.Apart(class, unit, nil)}
		if v := cmp.Or(s.find(class, all[i].Version), control); v != nil {
			all[i].Version = v.Name
		}
	}
	return all, plan.Revision
}

// configured returns the version of an adapter's class, nil if there is none.
func (l Live) configured(class devices.Class) *adapter.Version {
	i := slices.IndexFunc(l.Versions, func(v *adapter.Version) bool { return v.Class == class })
	if i < 0 {
		return nil
	}
	return l.Versions[i]
}
