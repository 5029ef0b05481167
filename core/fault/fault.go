// Package fault is the closed set of ways in which a request or a part of it
// fails. A [Code] says what the client is told (its HTTP status and its
// problem type), a [Reason] says why a part of a page is not the live one.
// Decisions look at codes and reasons, never at the text of an error.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Code classifies a failure for the client. The zero value is no failure.
type Code uint8

// The codes: the client's faults, then this program's and its backends'.
const (
	OK                 Code = iota
	Invalid                 // the request is malformed: 400
	Unauthenticated         // who asks is not known: 401
	Forbidden               // who asks may not: 403
	NotFound                // there is no such thing: 404
	MethodNotAllowed        // the path knows other methods: 405
	Conflict                // a precondition failed: 412
	PreconditionNeeded      // a precondition is required: 428
	TooLarge                // the request's body is too large: 413
	HeaderTooLarge          // the request's header is too large: 431
	Limited                 // too many requests: 429
	Canceled                // the client went away; it is told nothing: 499 in logs
	Internal                // a defect of this program: 500
	BadAnswer               // a backend answered what cannot be read: 502
	Unavailable             // a backend that is needed is not there: 503
	Timeout                 // a backend that is needed was too slow: 504
)

type codeRow struct {
	name   string
	title  string
	status int
}

// codes is the one table of what clients see of a code. Its statuses follow
// RFC 9110 and RFC 6585; 499 is a convention of access logs and is never sent.
var codes = [...]codeRow{
	OK:                 {"ok", "OK", 200},
	Invalid:            {"invalid", "The request is not valid", 400},
	Unauthenticated:    {"unauthenticated", "The request needs a user", 401},
	Forbidden:          {"forbidden", "The request is not allowed", 403},
	NotFound:           {"not_found", "There is no such thing", 404},
	MethodNotAllowed:   {"method_not_allowed", "The method is not allowed here", 405},
	Conflict:           {"conflict", "The precondition does not hold", 412},
	PreconditionNeeded: {"precondition_required", "A precondition is required", 428},
	TooLarge:           {"too_large", "The request body is too large", 413},
	HeaderTooLarge:     {"header_too_large", "The request header is too large", 431},
	Limited:            {"limited", "Too many requests", 429},
	Canceled:           {"canceled", "The client went away", 499},
	Internal:           {"internal", "An internal error", 500},
	BadAnswer:          {"bad_answer", "A backend answered what cannot be read", 502},
	Unavailable:        {"unavailable", "A backend is not available", 503},
	Timeout:            {"timeout", "A backend did not answer in time", 504},
}

// Codes returns every code but [OK].
func Codes() []Code {
	all := make([]Code, 0, len(codes)-1)
	for c := Invalid; int(c) < len(codes); c++ {
		all = append(all, c)
	}
	return all
}

// String returns the code's name as clients read it, such as "not_found".
func (c Code) String() string { return c.row().name }

// Title returns one sentence that says what the code means.
func (c Code) Title() string { return c.row().title }

// Status returns the HTTP status of the code.
func (c Code) Status() int { return c.row().status }

func (c Code) row() codeRow {
	if int(c) >= len(codes) {
		return codes[Internal]
	}
	return codes[c]
}

// Error is a failure with its code. It is safe for concurrent use: nothing
// changes it once it is made.
type Error struct {
	Code   Code
	Reason Reason // why the part that failed is missing; None: derived from Code
	Field  string // the field of the request or configuration at fault, if one is
	Detail string // a sentence for the client; it holds no secret and no cause
	Cause  error  // for the log only
}

// New returns an error of a code, with a sentence that a client may read.
func New(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// InvalidField returns the 400 that names the field at fault.
func InvalidField(field, detail string) *Error {
	return &Error{Code: Invalid, Reason: ReasonInvalid, Field: field, Detail: detail}
}

// Because returns an error of a reason, with its cause for the log. The code
// is the one that the reason has by default.
func Because(reason Reason, cause error) *Error {
	return &Error{Code: reason.Code(), Reason: reason, Cause: cause}
}

// Error returns the whole story, cause included: it is for logs.
func (e *Error) Error() string {
	text := e.Code.String()
	if e.Reason != None && e.Reason.String() != text {
		text += " (" + e.Reason.String() + ")"
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Cause != nil {
		text = fmt.Sprintf("%s: %v", text, e.Cause)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ErrRefused is in the chain of what a call ended with whose backend is there and
// understood it, and would not answer: the question was at fault, not the backend.
// The client of the page may know nothing of it, so it has no code of its own.
var ErrRefused = errors.New("the backend refused the call")

// CodeOf returns the code of err: [OK] of nil, [Canceled] and [Timeout] of the
// two errors of a context, [Internal] of an error that carries none.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		if e.Code == OK { // an error is never no failure
			return e.Reason.Code()
		}
		return e.Code
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}
