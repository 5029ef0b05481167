// Package message is what calls by messages have in common, whichever broker or socket
// carries them: what goes along with a question, which answer is whose, what an answer
// means, and what of a subscription is kept for who is slow.
//
// A question and its answer are matched by an id that nobody can guess. An answer whose
// id is of no call in flight (it is late, it comes twice, or somebody made it up) is
// dropped and counted. What writes is a goroutine of the connection's own: a call
// waits for it no longer than for its answer, and ends with its context: at once when
// the deadline passes, within 30 ms when it is cancelled.
//
// # What a failure is
//
//	the context ended                 an error that wraps its cause
//	no connection, or it broke        error, unavailable
//	too many calls in flight          error, unavailable
//	status 404                        not_found: an answer, not a fault
//	status 408, 429, 5xx              error, unavailable
//	any other 4xx                     error, bad_answer: the gateway asked wrongly, and the backend is well ([fault.ErrRefused])
//	any other status, or none         invalid, bad_answer
//	an empty body, null               invalid, bad_answer
//	not JSON in UTF-8, or oversized   invalid, bad_answer
//	a question that is not JSON       internal: no call is made
package message

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Longest is the time of a call whose context has no deadline of its own.
const Longest = 30 * time.Second

// DefaultMaxBody is how many bytes an answer has at most where nothing else is said.
const DefaultMaxBody = 1 << 20

// LargestMaxBody is the most that may be said.
const LargestMaxBody = 64 << 20

// DefaultMaxInFlight is how many calls are in flight at most where nothing else is said.
const DefaultMaxInFlight = 512

// LargestMaxInFlight is the most that may be said.
const LargestMaxInFlight = 1 << 16

// What a subscription keeps at most for who is slow, where nothing else is said: messages,
// and their bytes.
const (
	DefaultInboxMessages = 256
	DefaultInboxBytes    = 1 << 20
)

// The names of what goes along with a question.
const (
	Traceparent = "traceparent"
	RequestID   = "X-Request-Id"
	TimeoutMs   = "X-Request-Timeout-Ms"
)

// Header is one of what goes along with a question.
type Header struct{ Name, Value string }

// Request is one call on its way. It belongs to the goroutine that makes the call.
type Request struct {
	To   string        // the subject, queue or method
	Body []byte        // JSON
	Head []Header      // what goes along: [Traceparent], and the others if there are such
	Had  time.Duration // the time it was given

	Record *report.Call // nil: the call belongs to no record

	head    [3]Header
	service string
	maxBody int
	decode  func(body string) error
}

// Answer is what came of it.
type Answer struct {
	Status      int    // as HTTP numbers them
	Said        string // by the backend of a bad status, for the log
	ContentType string
	Control     string // its Cache-Control
	Body        []byte // nobody else's
	Fault       error  // why it cannot be read; nil: it can
}

// Asked is who asks, and what limits an answer.
type Asked struct {
	Service string
	MaxBody int // bytes
}

// Do makes a call: carry sends it, and ends with what [Request.Finish] returns. With
// apart, value keeps nothing of the answer's body. See the package comment for errors.
func Do(ctx context.Context, by Asked, to string, query, value any, apart bool, carry func(context.Context, *Request) error) error {
	if ctx.Err() != nil {
		return fault.Ended(ctx, by.Service)
	}
	body, err := payload.Encode(query)
	if err != nil {
		return fault.Because(fault.None, fmt.Errorf("%s: %w", by.Service, err))
	}
	r := &Request{To: to, Body: body, Record: report.CallFrom(ctx), service: by.Service, maxBody: by.MaxBody}
	r.decode = func(body string) error { return payload.Decode(body, value) }
	if apart {
		r.decode = func(body string) error { return payload.DecodeApart(body, value) }
	}
	deadline, ok := ctx.Deadline()
	if r.Had = Longest; ok {
		r.Had = max(time.Until(deadline), time.Millisecond)
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Longest)
		defer cancel()
	}
	r.setHead(ok)
	return carry(ctx, r)
}

// setHead says what goes along. What is sent is all that a backend learns: nothing of
// the client's own headers gets here.
func (r *Request) setHead(hurried bool) {
	trace, id := r.Record.Identity()
	r.Head = append(r.head[:0], Header{Traceparent, string(trace.AppendTraceparent(nil))})
	if visible(id) {
		r.Head = append(r.Head, Header{RequestID, id})
	}
	if hurried {
		r.Head = append(r.Head, Header{TimeoutMs, strconv.FormatInt(r.Had.Milliseconds(), 10)})
	}
}

// visible reports a text of printed ASCII that is not empty.
func visible(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != ""
}

// Finish says what became of a call that a backend at an address answered, or not.
func (r *Request) Finish(ctx context.Context, at string, a Answer, err error) error {
	reason := fault.ReasonError
	if err == nil {
		reason, err = r.take(&a)
	}
	switch {
	case err == nil:
		return nil
	case fault.Over(ctx):
		return fault.Ended(ctx, r.service)
	case at != "":
		at = " at " + at
	}
	return payload.Fault(reason, fmt.Errorf("%s%s: %w", r.service, at, err))
}

var (
	errBodySize    = errors.New("the answer's body is over the limit")
	errContentType = errors.New("the answer's content type is not JSON in UTF-8")
)

// take reads an answer.
func (r *Request) take(a *Answer) (fault.Reason, error) {
	if r.Record != nil {
		r.Record.Caching = report.ParseCaching([][]byte{[]byte(a.Control)}, nil)
		r.Record.Bytes = len(a.Body)
	}
	if a.Fault != nil {
		return fault.ReasonInvalid, a.Fault
	}
	if reason := payload.Status(a.Status).Reason(); reason != fault.None {
		return reason, a.refusal()
	}
	switch {
	case len(a.Body) > r.maxBody:
		return fault.ReasonInvalid, errBodySize
	case !payload.IsJSON(a.ContentType):
		return fault.ReasonInvalid, errContentType
	}
	return fault.ReasonInvalid, r.decode(unsafe.String(unsafe.SliceData(a.Body), len(a.Body))) //nolint:gosec // nobody else has it
}

// refusal is a status, and what the backend said of it.
func (a *Answer) refusal() error {
	if a.Said == "" {
		return payload.Status(a.Status)
	}
	return fmt.Errorf("%w: %.200q", payload.Status(a.Status), a.Said)
}

// ParseStatus reads what an answer says of its status: 200 where it says nothing, and
// 0, which is none, where it is not three digits.
func ParseStatus(text string) int {
	if text == "" {
		return okStatus
	}
	if len(text) != 3 {
		return 0
	}
	n := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

const okStatus = 200
