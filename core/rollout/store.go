package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/strict"
)

// Store keeps the state that the replicas of a gateway agree on, and tells each of
// the others. Its methods are safe for concurrent use.
type Store interface {
	// Watch tells the state that there is, one of revision 0 if there is none, then
	// each that follows, the newest at least, in the order of their revisions, until
	// ctx ends. A store that was itself set back, such as to an older copy, tells what
	// it has now. It calls from one goroutine, and goes on by itself when the store was
	// away: available says whether it is there, with why it is not, at first and
	// whenever that changes. It fails only when the store was closed.
	Watch(ctx context.Context, changed func(*State), available func(err error)) error

	// Swap puts a state in the place of the one whose revision is one less, and
	// returns when it is kept for good. It fails with [ErrConflict] when another came
	// first, with [ErrAway] when the store is not there, with [ErrDoubt] when it went
	// away meanwhile, and with a [fault.Error] of code TooLarge.
	Swap(ctx context.Context, next *State) error

	// Report tells the other replicas of this one; they hear it no more soon after its
	// last report.
	Report(ctx context.Context, r Replica) error

	// Replicas returns the last report of each replica that lives, this one included.
	Replicas(ctx context.Context) ([]Replica, error)
}

// Replica is what one replica tells of itself.
type Replica struct {
	ID       string          `json:"id"`                 // of its own
	Revision uint64          `json:"revision"`           // of the state that it answers by
	At       time.Time       `json:"at"`                 // of the report
	Lacks    []string        `json:"lacks,omitempty"`    // versions of that state that its build has not, such as "phone/v3"
	Observed json.RawMessage `json:"observed,omitempty"` // what its requests came to, for whoever judges
}

// The errors of stores.
var (
	ErrConflict = errors.New("another change came first")
	ErrAway     = errors.New("the store of rollouts is not there; nothing was changed")
	ErrDoubt    = errors.New("the store of rollouts went away before it said whether the change was made")
)

// maxRevision is the largest whole number that all readers of JSON can tell apart from
// the next one (RFC 8259, section 6).
const maxRevision = 1 << 53

// Decode reads a state as stores keep it: JSON, read strictly, and its form checked. An
// error is a [fault.Error] of code Invalid that names the field.
func Decode(text []byte) (*State, error) {
	s := new(State)
	if err := strict.Decode(text, s); err != nil {
		return nil, err
	}
	if s.Revision == 0 || s.Revision > maxRevision {
		return nil, fault.InvalidField("revision", "must be 1 to 2^53")
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}
