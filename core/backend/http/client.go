// Package http asks one backend service for JSON over HTTP/1.1.
//
// A [Client] is one service: a fixed list of instances, asked in turn, one
// instance an attempt, each with a pool of kept connections. A call runs on its
// caller's goroutine and ends with its context, whether it is dialing, writing,
// waiting or reading: at once when the deadline passes, within 30 ms when it is
// cancelled. A connection that was stopped so is closed and never used again.
//
// For the first 10 to 30 ms a deadline on the connection is all that watches over
// a call; only one that takes longer pays for a hook on its context, which costs
// 860 ns and five allocations.
//
// The response is parsed by fasthttp and decoded by sonic. Requests are written
// by hand, from bytes prepared per instance, and the pool is our own: the one
// of fasthttp dials without a context, keeps a cleaning goroutine that cannot
// be stopped, and cannot look at a connection before it is used again. Ours does,
// each time, so that an answer that nobody asked for reaches nobody. Only Unix has
// the means: elsewhere a connection serves once.
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
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// longest is the time of a call whose context has no deadline of its own.
const longest = 30 * time.Second

// Client asks the instances of one service. It is safe for concurrent use.
type Client struct {
	service   string
	instances []*instance
	turn      atomic.Uint32
}

// New returns the client of a service. It connects to nothing yet. The error is
// a [*fault.Error] that names the option at fault.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	c := &Client{service: options.Service}
	for i, base := range options.Instances {
		in, err := newInstance(base, options)
		if err != nil {
			return nil, instanceFault(i, err)
		}
		c.instances = append(c.instances, in)
	}
	c.turn.Store(rand.Uint32()) // so that services with one dead instance do not miss in step
	return c, nil
}

// Close closes the idle connections now and the others when their calls end;
// calls begun later fail as unavailable. It does not wait, and leaves no
// goroutine. It may be called more than once.
func (c *Client) Close() {
	for _, in := range c.instances {
		in.close()
	}
}

func (c *Client) next() *instance {
	return c.instances[int((c.turn.Add(1)-1)%uint32(len(c.instances)))] //nolint:gosec // a list has far fewer than 2^32 items
}

// pick returns the instance of an attempt: the next one in turn, or of a command
// that may make several attempts, the next that has had none of them. It returns
// nil if all have.
func (c *Client) pick(call *report.Call) *instance {
	if call == nil || call.Spread == nil {
		return c.next()
	}
	for range c.instances {
		if in := c.next(); call.Spread.Take(in.address + in.prefix) {
			return in
		}
	}
	return nil
}

// do runs a call and decodes its answer.
func (c *Client) do(ctx context.Context, r request) error {
	if ctx.Err() != nil {
		return ended(ctx, c.service)
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
	in := c.pick(r.call)
	if in == nil {
		return fault.Because(fault.ReasonError, c.because(report.ErrNoOther))
	}
	again, err := c.attempt(ctx, in, r, true)
	if again && ctx.Err() == nil {
		_, err = c.attempt(ctx, c.resendTo(r.call, in), r, false)
	}
	return err
}

// resendTo returns the instance of a free resend: the next one in turn, but where
// attempts are spread, the same: the others are for further attempts.
func (c *Client) resendTo(call *report.Call, in *instance) *instance {
	if call != nil && call.Spread != nil {
		return in
	}
	return c.next()
}

// attempt asks one instance. again reports that a kept connection took nothing of
// the request, or ended before one byte of an answer came to one that may be sent
// twice.
func (c *Client) attempt(ctx context.Context, in *instance, r request, reuse bool) (again bool, err error) {
	cn, err := in.acquire(ctx, r, reuse)
	if err != nil {
		return false, c.failed(ctx, in, fault.ReasonError, err)
	}
	err = cn.exchange(ctx, r)
	again = err != nil && (cn.spoiled || cn.unheard() && !r.once)
	reason := cn.reason
	in.release(cn, cn.unhook() && cn.reusable())
	if err != nil {
		return again, c.failed(ctx, in, reason, err)
	}
	return false, nil
}
