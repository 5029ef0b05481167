package command

import (
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// A command that is only observed is asked without limits, to see what they
// would do: each refusal and each end that they would have brought is counted,
// and none takes place. Its circuit opens, lets probes through and closes as it
// would have; what it would not have let through does not move it.

// onlyObserved reports whether a limit that is reached refuses nothing, and counts
// what it would have done.
func (c *Control) onlyObserved(p *Policy, outcome report.Outcome) bool {
	if p.Mode != Observe {
		return false
	}
	c.would[outcome].Add(1)
	return true
}

// observed is what the circuit is told of a run: of one that would have been
// ended, that it was.
func (c *Control) observed(p *Policy, call *report.Call) report.Outcome {
	if p.Mode == Observe && call.Took > p.Timeout && call.Outcome != report.TimedOut {
		c.would[report.TimedOut].Add(1)
		return report.TimedOut
	}
	return call.Outcome
}

// observedAttempt counts an attempt that would have been ended. If the run would have
// been, too, that counts instead.
func (c *Control) observedAttempt(p *Policy, began time.Time) {
	if took := time.Since(began); took > p.AttemptTimeout && took <= p.Timeout {
		c.would[report.TimedOut].Add(1)
	}
}

// limit is how long a run may take.
func (p *Policy) limit() time.Duration {
	if p.Mode == Observe {
		return maxTimeout
	}
	return p.Timeout
}
