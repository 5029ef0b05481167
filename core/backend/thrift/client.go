// Package thrift calls one backend service over Apache Thrift: the compact protocol in
// frames, on TCP.
//
// A [Client] is one service: its instances, of which [balance.Pool] chooses one for an
// attempt, each with a pool of kept connections. It is a [lib.TClient], so that
// generated clients take it. A call runs on its caller's goroutine and ends with its
// context: at once when the deadline passes, within 30 ms when it is cancelled. A
// connection that was stopped so is closed and never used again, one that says what
// nobody asked for neither, and each call has a sequence id drawn at random: no late
// answer passes for the answer to another call.
//
// A kept connection that turns out to be closed costs a call nothing but time: it is
// sent once more, if not one byte of an answer has come. So a method must be one that
// may be called twice.
//
// The protocol is the library's; frames and connections are our own, because its
// sockets know no context, and its client takes one connection and one call at a time.
//
// # What a failure is
//
//	the context ended                             an error that wraps its cause
//	an exception that the IDL declares            none: it is in the result
//	no connection, no complete size of a frame    error, unavailable
//	TApplicationException: INTERNAL_ERROR,        error, unavailable
//	MISSING_RESULT, UNKNOWN, and unknown ones
//	any other TApplicationException, such as      error, bad_answer: the gateway asked wrongly, and the backend
//	UNKNOWN_METHOD and PROTOCOL_ERROR             is well ([fault.ErrRefused])
//	a frame that is cut short, empty, oversized,  invalid, bad_answer
//	of another protocol, or has a rest
//	the answer to another call or method          invalid, bad_answer
//	a value that cannot be decoded, or without    invalid, bad_answer
//	a field that the IDL requires
//	arguments that cannot be encoded, a method    internal: no call is made
//	without an answer (oneway)
//
// # Limits
//
// A frame has at most Options.MaxMessage bytes, and what is skipped in it a depth of 64.
// A call whose context has no deadline is given 30 s. A cause quotes at most 200 bytes
// of what a server wrote. Plain text only: there is no TLS.
package thrift

import (
	"context"
	"errors"
	"fmt"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// longest is the time of a call whose context has no deadline of its own.
const longest = 30 * time.Second

// Client calls the instances of one service. It is safe for concurrent use.
type Client struct {
	service string
	*balance.Pool[*instance]
}

var _ lib.TClient = (*Client)(nil)

// New returns the client of a service. It connects to nothing yet. The error is
// a [*fault.Error] that names the option at fault, or a [*balance.RangeError].
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	listed, err := discovery.Listed("thrift", options.Instances)
	if err != nil {
		return nil, err
	}
	pool, err := balance.New(options.Balance, func(of discovery.Instance) (*instance, error) {
		return newInstance(of, options)
	}, (*instance).close)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the field
	}
	pool.Probe(probe)
	if len(listed) > 0 {
		if err := pool.Update(listed); err != nil {
			return nil, fault.InvalidField("instances", err.Error())
		}
	}
	return &Client{options.Service, pool}, nil
}

// probe asks an instance how it is, as far as Thrift knows a way: whether it takes a
// connection.
func probe(ctx context.Context, in *instance) error {
	nc, err := in.conns.Dial(ctx)
	if err != nil {
		return fmt.Errorf("the health check: %w", err)
	}
	return nc.Close() //nolint:wrapcheck // it has made one
}

// request is what one call asks, whichever instance it asks.
type request struct {
	*question
	result lib.TStruct
	began  time.Time
	call   *report.Call // nil: the call belongs to no record
}

// Call makes a call and decodes its answer into result: a value, or an exception that
// the IDL declares. The package comment has the table of errors; after one, nothing in
// result means anything. Attempts and bytes go to the call that ctx belongs to.
func (c *Client) Call(ctx context.Context, method string, args, result lib.TStruct) (lib.ResponseMeta, error) {
	if ctx.Err() != nil {
		return lib.ResponseMeta{}, fault.Ended(ctx, c.service)
	}
	if result == nil {
		return lib.ResponseMeta{}, fault.Because(fault.None, c.because(errOneway))
	}
	q, err := ask(ctx, method, args)
	if err != nil {
		return lib.ResponseMeta{}, fault.Because(fault.None, c.because(err))
	}
	defer q.free()
	r := request{q, result, time.Now(), report.CallFrom(ctx)}
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	return lib.ResponseMeta{}, c.send(ctx, r)
}

// pick returns the instance of an attempt: of a command that may make several, one that
// has had none of them.
func (c *Client) pick(call *report.Call) (*balance.Member[*instance], error) {
	var spread *report.Spread
	if call != nil {
		spread = call.Spread
	}
	m, err := c.Pick(spread)
	if err != nil {
		return nil, fault.Because(fault.ReasonError, c.because(err))
	}
	return m, nil
}

// send makes one attempt, and a second one for free if all that the first one
// found is a kept connection that was closed.
func (c *Client) send(ctx context.Context, r request) error {
	m, err := c.pick(r.call)
	if err != nil {
		return err
	}
	again, err := c.ask(ctx, m, r, true)
	if !again || ctx.Err() != nil {
		return err
	}
	if m, err = c.pick(r.call); err != nil {
		return err
	}
	_, err = c.ask(ctx, m, r, false)
	return err
}

// ask makes an attempt, and tells what it says of its instance: nothing if all that was
// wrong is a connection that was kept for too long, or if it ends in a panic. Where
// attempts are spread, the free resend goes to the same instance: the others are for
// further attempts.
func (c *Client) ask(ctx context.Context, m *balance.Member[*instance], r request, reuse bool) (again bool, err error) {
	began, said := time.Now(), balance.Silent
	defer func() { m.Done(said, time.Since(began)) }()
	again, err = c.attempt(ctx, m.C, r, reuse)
	if again && r.call != nil && r.call.Spread != nil && ctx.Err() == nil {
		again, began = false, time.Now()
		_, err = c.attempt(ctx, m.C, r, false)
	}
	if !again {
		said = balance.Judge(ctx, err, r.had(ctx))
	}
	return again, err
}

// attempt asks one instance. again reports that a kept connection took nothing of the
// call, or ended before one byte of an answer came.
func (c *Client) attempt(ctx context.Context, in *instance, r request, reuse bool) (again bool, err error) {
	cn, err := in.conns.Acquire(ctx, r.began, reuse)
	if err != nil {
		return false, c.failed(ctx, in, fault.ReasonError, err)
	}
	usable := false
	defer func() { in.conns.Release(cn, usable) }()
	err = cn.exchange(ctx, r)
	usable = cn.End() && cn.reusable(err)
	if err != nil {
		return (cn.Spoiled() || cn.Unheard()) && !fault.Over(ctx), c.failed(ctx, in, cn.reason, err)
	}
	return false, nil
}

// had is the time that the call was given.
func (r request) had(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline() // every call has one by now
	return deadline.Sub(r.began)
}

// failed turns what went wrong in an exchange into what callers decide by.
func (c *Client) failed(ctx context.Context, in *instance, reason fault.Reason, err error) error {
	if fault.Over(ctx) {
		return fault.Ended(ctx, c.service)
	}
	failure := fault.Because(reason, fmt.Errorf("%s at %s: %w", c.service, in.address, err))
	if errors.Is(err, fault.ErrRefused) {
		failure.Code = fault.BadAnswer
	}
	return failure
}

func (c *Client) because(err error) error { return fmt.Errorf("%s: %w", c.service, err) }
