package fault

import (
	"context"
	"errors"
)

// Reason says why a part of a page is not live. The zero value is [None].
type Reason uint8

// The reasons, as `Facet-Parts` and the log name them.
const (
	None             Reason = iota
	ReasonTimeout           // the call took longer than its command allows
	ReasonError             // the backend failed, or could not be reached
	ReasonOpen              // the circuit is open: the call was not made
	ReasonFull              // the bulkhead is full: the call was not made
	ReasonBudget            // the page's own deadline left too little time
	ReasonDependency        // a call that this one needs failed
	ReasonInvalid           // the answer, or the query, cannot be read
	ReasonNotFound          // the backend knows no such thing
	ReasonAnonymous         // the call needs a user and there is none
	ReasonPanic             // the adapter's or the service layer's own code panicked
	ReasonCanceled          // the request ended before the call did
	ReasonOverload          // too many pages are in progress: the page was not begun
)

type reasonRow struct {
	name string
	code Code // of the page, when the part is required
}

// reasons is the one table of what a reason is called and which code the page
// fails with when it is the reason of a required part.
var reasons = [...]reasonRow{
	None:             {"none", Internal},
	ReasonTimeout:    {"timeout", Timeout},
	ReasonError:      {"error", Unavailable},
	ReasonOpen:       {"open", Unavailable},
	ReasonFull:       {"full", Unavailable},
	ReasonBudget:     {"budget", Timeout},
	ReasonDependency: {"dependency", Unavailable},
	ReasonInvalid:    {"invalid", BadAnswer},
	ReasonNotFound:   {"not_found", NotFound},
	ReasonAnonymous:  {"anonymous", Unauthenticated},
	ReasonPanic:      {"panic", Internal},
	ReasonCanceled:   {"canceled", Canceled},
	ReasonOverload:   {"overload", Unavailable},
}

// Reasons returns every reason but [None].
func Reasons() []Reason {
	all := make([]Reason, 0, len(reasons)-1)
	for r := ReasonTimeout; int(r) < len(reasons); r++ {
		all = append(all, r)
	}
	return all
}

// String returns the reason's name, an RFC 9651 token.
func (r Reason) String() string {
	if int(r) >= len(reasons) {
		return reasons[ReasonError].name
	}
	return reasons[r].name
}

// Code returns the code of a page that fails for this reason.
func (r Reason) Code() Code {
	if int(r) >= len(reasons) {
		return Internal
	}
	return reasons[r].code
}

// ReasonOf returns the reason that err carries, else the one its code implies,
// else [ReasonError]; [None] of nil.
func ReasonOf(err error) Reason {
	var e *Error
	switch {
	case err == nil:
		return None
	case errors.As(err, &e):
		if e.Reason != None {
			return e.Reason
		}
		return reasonOfCode(e.Code)
	case errors.Is(err, context.Canceled):
		return ReasonCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	}
	return ReasonError
}

func reasonOfCode(code Code) Reason {
	switch code {
	case NotFound:
		return ReasonNotFound
	case Unauthenticated:
		return ReasonAnonymous
	case Invalid, BadAnswer:
		return ReasonInvalid
	case Timeout:
		return ReasonTimeout
	case Canceled:
		return ReasonCanceled
	default:
		return ReasonError
	}
}
