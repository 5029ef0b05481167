package guard

import (
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
)

// Tally is what the requests of both arms of a rollout came to, on one replica or on
// several, in the window that is going on and in the whole step so far. It is
// what a replica tells the others: some 400 to 1,500 bytes as JSON, seldom more.
type Tally struct {
	Since     time.Time `json:"since"`  // of the rollout: when the step began
	Window    int       `json:"window"` // that is going on
	Control   Arm       `json:"control"`
	Candidate Arm       `json:"candidate"`
}

// Arm is what the requests of one arm came to.
type Arm struct {
	Window Counts `json:"window"`
	Step   Counts `json:"step"`
}

var errStep = errors.New("is of another step of the rollout")

// Add adds the tally of another replica, which may be rubbish. It fails, and adds
// nothing, if that is not valid or of another step. Of another window, which
// it is around the end of one, only the step is added.
func (t *Tally) Add(o *Tally) error {
	if !t.Since.Equal(o.Since) {
		return errStep
	}
	for _, c := range [...]*Counts{&o.Control.Window, &o.Control.Step, &o.Candidate.Window, &o.Candidate.Step} {
		if err := c.Validate(); err != nil {
			return err
		}
	}
	t.Control.Step.Add(o.Control.Step)
	t.Candidate.Step.Add(o.Candidate.Step)
	if t.Window == o.Window {
		t.Control.Window.Add(o.Control.Window)
		t.Candidate.Window.Add(o.Candidate.Window)
	}
	return nil
}

// Judge judges the whole step, and the window.
func (t *Tally) Judge(limits *rollout.Guard) Verdict {
	step := Judge(limits, WholeStep, t.Control.Step, t.Candidate.Step)
	if step.Worse || t.Window < 0 {
		return step
	}
	if window := Judge(limits, t.Window, t.Control.Window, t.Candidate.Window); window.Worse {
		return window
	}
	return step
}
