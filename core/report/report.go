// Package report is the plain record of one request: its parts with their
// rungs, its calls with their outcomes and times. Everything that tells about
// a request (headers, the log line, counters) is a view derived from it.
package report

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Report is the record of one request. Its fields belong to the goroutine that
// serves the request; calls may be added from any goroutine.
type Report struct {
	RequestID string
	Trace     Trace
	Began     time.Time
	Budget    time.Duration // of the whole page; 0: none
	Parts     []Part        // in declared order, once the page has run

	// Shadow says that nobody waits for the page: it is made to be compared. Its calls
	// are held apart from those of pages that are. It is set before the page runs.
	Shadow bool

	mu    sync.Mutex
	calls []*Call
	room  [usual]Call // for the first of them
}

// usual is how many calls a request makes that needs no more memory for them.
const usual = 8

// Part is one named part of a page.
type Part struct {
	Name     string // matches [a-z][a-z0-9_]*
	Required bool
	Mark     Mark
	Holes    Holes         // in the lists of the part
	Took     time.Duration // from the request's start until the part was ready
	Err      error         // why the part is missing; for the log
}

// New returns the report of a request that begins now.
func New(requestID string, trace Trace) *Report {
	return &Report{RequestID: requestID, Trace: trace, Began: time.Now(), calls: make([]*Call, 0, usual)}
}

// Again returns the report of the same request, of which nothing is recorded yet.
func (r *Report) Again() *Report {
	again := New(r.RequestID, r.Trace)
	again.Began, again.Budget = r.Began, r.Budget
	return again
}

// Begin adds a call to the record. Safe for concurrent use.
func (r *Report) Begin(command string) *Call {
	c := r.add()
	*c = Call{Command: command, Began: time.Now(), request: r, Caching: Caching{MaxAge: Unlimited}}
	return c
}

func (r *Report) add() *Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	var c *Call
	if n := len(r.calls); n < usual {
		c = &r.room[n]
	} else {
		c = &Call{}
	}
	r.calls = append(r.calls, c)
	return c
}

// Calls returns the calls begun so far. Their fields may be read once the
// request's streams have ended. Safe for concurrent use.
func (r *Report) Calls() []*Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Call(nil), r.calls...)
}

// Outcome is how one command ended.
type Outcome uint8

// The outcomes of a command. Only Failure and Timeout count against a backend.
const (
	Success        Outcome = iota // the backend answered
	Failure                       // the backend failed or answered rubbish
	TimedOut                      // the backend had its time and did not answer
	Rejected                      // the bulkhead was full: no call was made
	ShortCircuited                // the circuit was open: no call was made
	Canceled                      // the client left or the page ended first
	CallerFault                   // the answer was the caller's fault: a 4xx, but for 408 and 429
	OutOfBudget                   // the page had no time left for it: no call was made
)

var outcomeNames = [...]string{
	"success", "failure", "timeout", "rejected", "short_circuited", "canceled", "caller_fault", "out_of_budget",
}

// Outcomes returns every outcome.
func Outcomes() []Outcome {
	return []Outcome{Success, Failure, TimedOut, Rejected, ShortCircuited, Canceled, CallerFault, OutOfBudget}
}

// String returns the outcome's name, as counters and the log use it.
func (o Outcome) String() string {
	if int(o) >= len(outcomeNames) {
		return outcomeNames[Failure]
	}
	return outcomeNames[o]
}

// Call is the record of one command run for a request. Its fields belong to the
// goroutine that runs the command, and to its backend client meanwhile.
type Call struct {
	Command  string
	Outcome  Outcome
	Mark     Mark
	Began    time.Time
	Sought   time.Duration // before it began, for an answer in a shared cache that would have spared it
	Took     time.Duration // until the answer or the fault
	Keys     int           // that a batch asked for at once; 0: the call is no batch
	Attempts int           // requests written to a backend, a free resend included
	Bytes    int           // of the answer's body, as received
	Caching  Caching       // what the backend allows
	Err      error
	Spread   *Spread // of a command that may make several attempts; nil: it makes one

	request *Report
}

// Attempt returns the record of one of several attempts that run beside each
// other: what it comes to is its own.
func (c *Call) Attempt() *Call {
	return &Call{
		Command: c.Command, Began: time.Now(), Keys: c.Keys, Caching: Caching{MaxAge: Unlimited},
		Spread: c.Spread, request: c.request,
	}
}

// Identity returns the trace and the identifier of the request that the call belongs
// to: a trace of its own and "" if it belongs to none, or is nil.
func (c *Call) Identity() (Trace, string) {
	if c == nil || c.request == nil {
		return NewTrace(), ""
	}
	return c.request.Trace, c.request.RequestID
}

// Spread is what the attempts of one command know of each other, so that each
// goes to another instance. The zero value is ready, and safe for concurrent use.
type Spread struct {
	mu    sync.Mutex
	taken []string
}

// ErrNoOther is the cause of an attempt that was not made, because every instance
// has had one.
var ErrNoOther = errors.New("there is no other instance to ask")

// Take reports whether no attempt has gone to the instance yet; from then on one has.
func (s *Spread) Take(instance string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.taken, instance) {
		return false
	}
	s.taken = append(s.taken, instance)
	return true
}

// Unlimited is the MaxAge of an answer that does not limit its caching.
const Unlimited time.Duration = -1

// Caching is what an answer says about being remembered (RFC 9111, RFC 5861): it
// can shorten or forbid what the configuration allows.
type Caching struct {
	NoStore  bool
	MaxAge   time.Duration // Unlimited if the answer does not say
	NoStale  bool          // it is not used once it is older, whatever has failed
	StaleFor time.Duration // how much older it may stand in; 0 if the answer does not say
}

// Request returns the record of the request that the call was made for, nil if
// it was made for none.
func (c *Call) Request() *Report { return c.request }

// RequestKey is the key under which a context answers [From]: a context that
// carries several things answers for all of them without a layer for each.
type RequestKey struct{}

// CallKey is the key under which a context answers [CallFrom].
type CallKey struct{}

// From returns the record of the request that ctx belongs to, nil if none.
func From(ctx context.Context) *Report {
	r, _ := ctx.Value(RequestKey{}).(*Report)
	return r
}

// CallFrom returns the record of the call that ctx belongs to, nil if none.
func CallFrom(ctx context.Context) *Call {
	c, _ := ctx.Value(CallKey{}).(*Call)
	return c
}

// WithCall returns a context that belongs to a call.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, CallKey{}, c)
}
