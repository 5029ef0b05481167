package rollout

import (
	"net/http"

	"github.com/facet-gateway/facet/devices"
)

// Apart is why a unit is in no rollout of its class though one runs.
type Apart string

// What keeps a unit apart.
const (
	NotApart Apart = ""         // it is in one, or none runs
	Nobody   Apart = "nobody"   // there is no unit
	Holdout  Apart = "holdout"  // its bucket is in no rollout by decision
	Unsliced Apart = "unsliced" // its bucket is in no rollout's slice
	Ruled    Apart = "rules"    // the rollout that has its bucket has rules that leave it out
)

// Apart says why [Plan.Assign] puts a unit into no rollout. It is for people: to assign
// a request, nobody needs to know.
func (p *Plan) Apart(class devices.Class, unit string, h http.Header) Apart {
	if !p.Active(class) || p.Assign(class, unit, h).Rollout != "" {
		return NotApart
	}
	if unit == "" {
		return Nobody
	}
	l := p.layers[class]
	switch bucket := l.bucket(unit); {
	case l.arms[bucket] != noArm:
		return Ruled
	case bucket >= l.holdout:
		return Holdout
	}
	return Unsliced
}
