package payload

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/facet-gateway/facet/core/fault"
)

// Status is an answer whose status, as HTTP numbers them, is not one of success.
type Status int

// Error names the status.
func (s Status) Error() string { return fmt.Sprintf("status %d", int(s)) }

// Reason returns what a status means: [fault.None] of success.
func (s Status) Reason() fault.Reason {
	switch {
	case s == http.StatusNotFound:
		return fault.ReasonNotFound
	case s >= http.StatusBadRequest:
		return fault.ReasonError
	case s < http.StatusOK || s >= http.StatusMultipleChoices:
		return fault.ReasonInvalid
	}
	return fault.None
}

// Refused reports the 4xx that blame the request, and are no answer as a 404 is.
func (s Status) Refused() bool {
	return s.Reason() == fault.ReasonError && s < http.StatusInternalServerError && !s.busy()
}

// busy reports the 4xx that blame the moment and not the request.
func (s Status) busy() bool {
	return s == http.StatusRequestTimeout || s == http.StatusTooManyRequests
}

// Is says what a 4xx means, with [fault.ErrRefused].
func (s Status) Is(target error) bool { return target == fault.ErrRefused && s.Refused() }

// Fault returns an error of a reason, with its cause, which is bad_answer of a
// refusal.
func Fault(reason fault.Reason, cause error) *fault.Error {
	failure := fault.Because(reason, cause)
	if errors.Is(cause, fault.ErrRefused) {
		failure.Code = fault.BadAnswer
	}
	return failure
}
