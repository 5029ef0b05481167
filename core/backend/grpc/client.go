// Package grpc calls one backend service over gRPC, in unary calls.
//
// A [Client] is one service: its instances, of which [balance.Pool] chooses one for a
// call, each with one connection that is kept and shared by all calls. It is a
// [rpc.ClientConnInterface], so that generated clients take it. Nothing of grpc-go's
// own balancing, name resolution, service configuration, proxies and retries is used,
// but that a call which no server has begun is sent again on another connection.
//
// A call never waits for an instance that is gone: while the connection cannot be made,
// calls fail at once. It is tried again after 100 ms, and at least every second, so that
// traffic is back within a second of its instance. A connection that brings nothing for
// 10 s while a call waits is tried, and ended after two more.
//
// A call ends with its context. It takes traceparent, x-request-id and
// x-request-timeout-ms with it as metadata, and of the caller's own metadata nothing;
// the deadline itself goes as grpc-timeout.
//
// # What a failure is
//
//	the context ended                           an error that wraps its cause
//	NOT_FOUND                                   not_found: an answer, not a fault
//	INVALID_ARGUMENT, FAILED_PRECONDITION,      error, bad_answer: the gateway asked wrongly, and the backend
//	OUT_OF_RANGE, ALREADY_EXISTS,               is well ([fault.ErrRefused])
//	PERMISSION_DENIED, UNAUTHENTICATED,
//	UNIMPLEMENTED
//	any other status, and one of a server that  error, unavailable
//	was too slow for itself (DEADLINE_EXCEEDED)
//	no connection, a stream without a status    error, unavailable
//	a message that cannot be decoded, none,     invalid, bad_answer
//	several, one over the limit or compressed
//	a request that cannot be encoded, a stream  internal: no call is made
//
// # Limits
//
// A message has at most Options.MaxMessage bytes, and the list of an answer's headers
// 8 KiB. A call whose context has no deadline is given 30 s. A cause quotes at most 200
// bytes of what a server wrote. Plain text only: there is no TLS.
package grpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// longest is the time of a call whose context has no deadline of its own.
const longest = 30 * time.Second

var errStream = errors.New("a stream is asked for, and only unary calls are made")

// Client calls the instances of one service. It is safe for concurrent use.
type Client struct {
	service    string
	maxMessage int
	*balance.Pool[*instance]
}

var _ rpc.ClientConnInterface = (*Client)(nil)

// New returns the client of a service. It connects to nothing yet. The error is
// a [*fault.Error] that names the option at fault, or a [*balance.RangeError].
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	listed, err := discovery.Listed("grpc", options.Instances)
	if err != nil {
		return nil, err
	}
	pool, err := balance.New(options.Balance, func(of discovery.Instance) (*instance, error) {
		return newInstance(of, options)
	}, (*instance).close)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the field
	}
	pool.Probe(newProbe(options.Health))
	if len(listed) > 0 {
		if err := pool.Update(listed); err != nil {
			pool.Close()
			return nil, fault.InvalidField("instances", err.Error())
		}
	}
	return &Client{options.Service, options.MaxMessage, pool}, nil
}

// Invoke makes a unary call of a method such as "/shop.Cart/Get". args and reply are
// messages of protobuf. The package comment has the table of errors; after one, nothing
// in reply means anything. Attempts and bytes go to the call that ctx belongs to.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, opts ...rpc.CallOption) error {
	if ctx.Err() != nil {
		return fault.Ended(ctx, c.service)
	}
	x, err := newExchange(report.CallFrom(ctx), args)
	if err != nil {
		return fault.Because(fault.None, c.because(err))
	}
	had, began := longest, time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		had = max(deadline.Sub(began), time.Millisecond)
		x.told = had
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	m, err := c.pick(x.call)
	if err != nil {
		return err
	}
	said := balance.Silent
	defer func() { m.Done(said, time.Since(began)) }()
	err = c.ask(ctx, m.C, x, method, args, reply, opts)
	said = balance.Judge(ctx, err, had)
	return err
}

// NewStream refuses: one call is one answer.
func (c *Client) NewStream(context.Context, *rpc.StreamDesc, string, ...rpc.CallOption) (rpc.ClientStream, error) {
	return nil, fault.Because(fault.None, c.because(errStream))
}

// pick returns the instance of a call: of a command that may make several, one that
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

// ask calls one instance.
func (c *Client) ask(ctx context.Context, in *instance, x *exchange, method string, args, reply any, opts []rpc.CallOption) error {
	if _, ok := metadata.FromOutgoingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, nil) // it is not the caller's own that is sent
	}
	opts = append(opts[:len(opts):len(opts)],
		rpc.PerRPCCredentials(x), rpc.ForceCodecV2(x), rpc.Header(&x.header), rpc.MaxCallRecvMsgSize(c.maxMessage), rpc.WaitForReady(false))
	err := in.conn.Invoke(ctx, method, args, reply, opts...)
	switch {
	case err == nil:
		return nil
	case fault.Over(ctx):
		return fault.Ended(ctx, c.service)
	}
	return x.failure(err, func(cause error) error { return fmt.Errorf("%s at %s: %w", c.service, in.address, cause) })
}

func (c *Client) because(err error) error { return fmt.Errorf("%s: %w", c.service, err) }
