package balance

import (
	"context"
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Patience is how long a call must have had to be answered, for its instance to be blamed
// that it was not: else clients in a hurry could have every instance ejected.
const Patience = 50 * time.Millisecond

// Judge returns what a call with a context and an error says about its instance. had is
// the time that it was given. What there is not, or what the backend refuses to the
// caller ([fault.ErrRefused]), is an answer. A call that was cut short says that its
// instance is slow if it had its time, and nothing if it had not, or if whoever asked
// has gone.
func Judge(ctx context.Context, err error, had time.Duration) Outcome {
	switch {
	case err == nil, fault.CodeOf(err) == fault.NotFound, errors.Is(err, fault.ErrRefused):
		return Success
	case ctx.Err() == nil:
		return Fault
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && had >= Patience:
		return Fault
	}
	return Silent
}
