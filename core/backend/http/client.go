// Package http asks one backend service for JSON over HTTP/1.1.
//
// A [Client] is one service: its instances, of which [balance.Pool] chooses one for an
// attempt, each with a pool of kept connections. A call runs on its
// caller's goroutine and ends with its context, whether it is dialing, writing,
// waiting or reading: at once when the deadline passes, within 30 ms when it is
// cancelled. A connection that was stopped so is closed and never used again.
//
// The response is parsed by fasthttp and decoded by sonic. Requests are written
// by hand, from bytes prepared per instance, and the pool is our own, of package
// [kept]: the one of fasthttp dials without a context, keeps a cleaning goroutine
// that cannot be stopped, and cannot look at a connection before it is used again.
//
// # What a failure is
//
//	the context ended                  an error that wraps its cause
//	404                                not_found: an answer, not a fault
//	408, 429, 5xx                      error, unavailable
//	no connection, no complete header  error, unavailable
//	any other 4xx                      error, bad_answer: the gateway asked wrongly, and the backend is well ([fault.ErrRefused])
//	1xx but interim ones, 3xx          invalid, bad_answer: redirects are not followed
//	204, 205, an empty body, null      invalid, bad_answer
//	not JSON in UTF-8, or compressed   invalid, bad_answer
//	malformed, oversized, cut short    invalid, bad_answer
//	a target that is not one           internal: no call is made
//
// # Limits
//
// A body has at most Options.MaxBody bytes and a header 8 KiB; a connection
// keeps about 10 KiB while it is idle. A call whose context has no deadline is
// given 30 s. Plain HTTP only.
package http

import (
	"context"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// longest is the time of a call whose context has no deadline of its own.
const longest = 30 * time.Second

// Client asks the instances of one service. It is safe for concurrent use.
type Client struct {
	service string
	*balance.Pool[*instance]
}

// New returns the client of a service. It connects to nothing yet. The error is
// a [*fault.Error] that names the option at fault.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	listed := make([]discovery.Instance, len(options.Instances))
	for i, base := range options.Instances {
		u, err := parseBase(base)
		if err != nil {
			return nil, instanceFault(i, err)
		}
		listed[i] = discovery.Instance{Address: dialAddress(u), Path: strings.TrimRight(u.EscapedPath(), "/")}
	}
	pool, err := balance.New(options.Balance, func(of discovery.Instance) (*instance, error) {
		return newInstance(of, options), nil
	}, (*instance).close)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the field
	}
	if options.CheckPath != "" {
		pool.Probe(newProbe(options))
	}
	if len(listed) > 0 {
		if err := pool.Update(listed); err != nil {
			return nil, fault.InvalidField("instances", err.Error())
		}
	}
	return &Client{options.Service, pool}, nil
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

// do runs a call and decodes its answer.
func (c *Client) do(ctx context.Context, r request) error {
	if ctx.Err() != nil {
		return fault.Ended(ctx, c.service)
	}
	if !validTarget(r.target) {
		return fault.Because(fault.None, c.because(errTarget))
	}
	r.call = report.CallFrom(ctx)
	r.began = time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		r.left = max(deadline.Sub(r.began), time.Millisecond)
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	return c.send(ctx, r)
}

// send makes one attempt, and a second one for free if all that the first one
// found is a kept connection that could not serve again.
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
		said = balance.Judge(ctx, err, r.had())
	}
	return again, err
}

// attempt asks one instance. again reports that a kept connection took nothing of
// the request, or ended before one byte of an answer came to one that may be sent
// twice.
func (c *Client) attempt(ctx context.Context, in *instance, r request, reuse bool) (again bool, err error) {
	cn, err := in.conns.Acquire(ctx, r.began, reuse)
	if err != nil {
		return false, c.failed(ctx, in, fault.ReasonError, err)
	}
	usable := false
	defer func() { in.conns.Release(cn, usable) }()
	err = cn.exchange(ctx, r)
	usable = cn.End() && cn.reusable()
	if err != nil {
		again = (cn.Spoiled() || cn.Unheard() && !r.once) && !fault.Over(ctx)
		return again, c.failed(ctx, in, cn.reason, err)
	}
	return false, nil
}
