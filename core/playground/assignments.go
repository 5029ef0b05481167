package playground

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

// assignments are which versions many units have.
type assignments struct {
	Class    string     `json:"class"`
	Revision uint64     `json:"revision"` // of the rollouts, of all units
	Units    []assigned `json:"units"`
}

// assigned is which version a unit has, and why.
type assigned struct {
	Unit    string `json:"unit"`
	Version string `json:"version"`
	Rollout string `json:"rollout,omitempty"`
	Arm     string `json:"arm"` // "control", "candidate" or "neither"
	Reason  string `json:"reason"`
	Apart   string `json:"apart,omitempty"` // why no rollout has it though one runs
}

const (
	usualUnits = 200
	maxUnits   = 1000 // some 100 KB
)

// assignments asks the gateway itself where the first users would be: u-1, u-2 and so
// on, or the one that is named.
func (p *Playground) assignments(r *http.Request) (any, error) {
	asked := r.URL.Query()
	class := devices.Class(asked.Get("class"))
	if !slices.ContainsFunc(p.Versions.All(), func(v *adapter.Version) bool { return v.Class == class }) {
		return nil, fault.InvalidField("class", "there is no adapter for this class")
	}
	units, err := unitsOf(asked)
	if err != nil {
		return nil, err
	}
	all, revision := p.Server.Assign(class, units)
	told := assignments{Class: string(class), Revision: revision, Units: make([]assigned, len(all))}
	for i := range all {
		told.Units[i] = tellAssigned(units[i], &all[i])
	}
	return told, nil
}

func unitsOf(asked url.Values) ([]string, error) {
	if unit := asked.Get("unit"); unit != "" {
		if !adapter.ValidID(unit) {
			return nil, fault.InvalidField("unit", "must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
		}
		return []string{unit}, nil
	}
	n := usualUnits
	if text := asked.Get("units"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxUnits {
			return nil, fault.InvalidField("units", fmt.Sprintf("must be 1 to %d", maxUnits))
		}
	}
	units := make([]string, n)
	for i := range units {
		units[i] = "u-" + strconv.Itoa(i+1)
	}
	return units, nil
}

func tellAssigned(unit string, a *server.Assigned) assigned {
	return assigned{
		Unit: unit, Version: a.Version, Rollout: a.Rollout, Arm: a.Arm.String(), Reason: a.Why.String(), Apart: string(a.Apart),
	}
}
