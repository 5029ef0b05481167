package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
)

// circuit is a command's circuit as operators read it.
type circuit struct {
	Command     string    `json:"command"`
	State       string    `json:"state"`                 // closed | open | forced_open | forced_closed
	ForcedUntil time.Time `json:"forced_until,omitzero"` // left out: not forced, or until it is released
	Opened      uint64    `json:"opened"`                // times that it opened by itself
}

func circuitOf(c *command.Control) circuit {
	s := c.Stats()
	return circuit{Command: s.Name, State: s.Circuit, ForcedUntil: s.ForcedUntil, Opened: s.Opened}
}

func (a *Admin) circuits(c echo.Context) error {
	all := make([]circuit, len(a.Controls))
	for i, control := range a.Controls {
		all[i] = circuitOf(control)
	}
	return tell(c, http.StatusOK, all)
}

func (a *Admin) circuit(c echo.Context) error {
	control, err := a.control(c.Param("command"))
	if err != nil {
		return err
	}
	return tell(c, http.StatusOK, circuitOf(control))
}

// control returns the command of a name.
func (a *Admin) control(name string) (*command.Control, error) {
	if control := a.byName[name]; control != nil {
		return control, nil
	}
	return nil, &fault.Error{
		Code: fault.NotFound, Field: "command",
		Detail: "there is no command " + shorten(name, longestText) + "; /commands lists them",
	}
}

// circuitChanges are those of the package itself.
func (a *Admin) circuitChanges() []Change {
	const path = "/circuits/{command}"
	return []Change{
		NewChange(http.MethodPut, path, a.forceCircuit),
		NewChange(http.MethodDelete, path, a.releaseCircuit),
	}
}

// force is the body of a PUT to a circuit.
type force struct {
	State string `json:"state"` // open | closed
	For   string `json:"for"`   // such as 5m; "": until it is released
}

func (a *Admin) forceCircuit(_ context.Context, who Actor, body force) (any, error) {
	control, err := a.control(who.Param("command"))
	if err != nil {
		return nil, err
	}
	states := map[string]command.Forced{"open": command.ForcedOpen, "closed": command.ForcedClosed}
	state, known := states[body.State]
	if !known {
		return nil, fault.InvalidField("state", "must be open or closed")
	}
	limit, err := body.limit()
	if err != nil {
		return nil, err
	}
	var out *command.RangeError
	if err := control.Force(state, limit); errors.As(err, &out) {
		return nil, fault.InvalidField(out.Field, "must be "+out.Allowed)
	} else if err != nil {
		return nil, err
	}
	return circuitOf(control), nil
}

// limit returns how long the state is to last; 0: until it is released.
func (f force) limit() (time.Duration, error) {
	if f.For == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(f.For)
	if err != nil || limit <= 0 {
		return 0, fault.InvalidField("for", "must be a duration over 0s and at most 24h, such as 5m")
	}
	return limit, nil
}

func (a *Admin) releaseCircuit(_ context.Context, who Actor, _ struct{}) (any, error) {
	control, err := a.control(who.Param("command"))
	if err != nil {
		return nil, err
	}
	control.Release()
	return circuitOf(control), nil
}
