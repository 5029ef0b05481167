// Package etcd keeps the state of rollouts in etcd 3.4 or later, for gateways of
// several replicas: a change of one is known to the others within milliseconds, and of
// several at once one is made.
//
// There are two kinds of keys: "<prefix>/state" holds the state as JSON, of at most
// 1 MiB, and "<prefix>/replicas/<id>" what a replica tells of itself, under a lease of
// 5 s that each report renews. A replica that reports no more is gone when its lease
// is, 5 to 6 s later; one that is closed, at once.
//
// A change is a transaction upon the revision at which etcd has the state that it
// follows. What follows is heard of by a watch, which begins where a read of the state
// has ended, so that nothing falls between. Once a second a replica asks, too, at which
// revision the state is: that finds a server that hangs, a watch that has lost
// something, and a cluster that was set back to an older copy, and costs etcd a read
// without the value. Whatever is wrong with a watch (its revision was compacted, its
// server has no leader, the connection is gone), the state is read again and another
// one begins; tries are at most half a second apart, and so are those of the
// connection. Where the cluster refuses to answer, such as for a wrong password, they
// are up to 5 s apart: checking one takes etcd some 100 ms of CPU. A call takes a
// second at most, and its first try a quarter: the next one goes to another server,
// since one of them may hang. Every read is linearizable: no replica goes back in time.
//
// The key may be deleted or etcd set back: replicas follow, as one does that starts
// anew. What is in the key and is no state is told of, and the last good one stays.
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/facet-gateway/facet/core/rollout"
)

// Store is an etcd cluster. It is a [rollout.Store].
type Store struct {
	options Options
	config  clientv3.Config

	ctx   context.Context // ended by Close
	close context.CancelFunc

	dial   chan struct{} // of size one: whoever holds it has the client
	client *clientv3.Client

	report chan struct{} // of size one: whoever holds it has the presence
	presence
}

// The bounds of calls and connections.
const (
	limit   = time.Second     // of each call
	patient = 5 * time.Second // of a read by a watch while the cluster is away, and between two that are refused

	// The first two of three tries of a call are brief. Each goes to another server of
	// the cluster, of which one may hang.
	tries = 3
	brief = limit / 4

	shortest = 20 * time.Millisecond // between two tries
	longest  = 500 * time.Millisecond

	// A connection to a host that is gone is found by what is sent over it and not
	// acknowledged; the server refuses to be asked more often than each 5 s.
	keepAlive = 10 * time.Second
	unheard   = 2 * time.Second

	maxState   = 1 << 20   // bytes; etcd takes 1.5 MiB by default
	maxReport  = 256 << 10 // bytes
	maxRequest = 2 << 20
	maxAnswer  = 64 << 20
	maxTries   = 3 // of one that was refused, with another token or by another server
)

var errClosed = errors.New("the store of rollouts was closed")

// New returns the store of a cluster. An error names the option at fault; files are
// read at once, but nothing is dialed before the first call.
func New(o Options) (*Store, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	password, err := o.password()
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	secure, err := o.tls()
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	s := &Store{options: o, dial: make(chan struct{}, 1), report: make(chan struct{}, 1)}
	s.ctx, s.close = context.WithCancel(context.Background())
	s.config = configure(s.ctx, o, password, secure)
	return s, nil
}

func configure(ctx context.Context, o Options, password string, secure *tls.Config) clientv3.Config {
	return clientv3.Config{
		Context: hastily(ctx), Endpoints: o.Endpoints, Username: o.User, Password: password, TLS: secure, Logger: zap.NewNop(),
		DialTimeout: limit, DialKeepAliveTime: keepAlive, DialKeepAliveTimeout: unheard,
		MaxCallSendMsgSize: maxRequest, MaxCallRecvMsgSize: maxAnswer, MaxUnaryRetries: maxTries,
		DialOptions: []grpc.DialOption{
			grpc.WithChainUnaryInterceptor(hasten),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 5 * shortest, Multiplier: 1.6, Jitter: 0.2, MaxDelay: longest},
				MinConnectTimeout: limit,
			}),
		},
	}
}

// hasty marks the context of a call that fails at once, and says why, where there is
// no connection. The others wait for one until their time is over: a change should not
// fail because a connection has just been lost.
type hasty struct{}

func hastily(ctx context.Context) context.Context { return context.WithValue(ctx, hasty{}, true) }

func hasten(
	ctx context.Context, method string, asked, answer any, cc *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption,
) error {
	if ctx.Value(hasty{}) != nil {
		o = append(slices.Clip(o), grpc.WaitForReady(false))
	}
	return call(ctx, method, asked, answer, cc, o...)
}

// call makes a call within a time.
func (s *Store) call(ctx context.Context, within time.Duration, do func(context.Context, *clientv3.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	c, err := s.connected(ctx)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := try(ctx, n, func(ctx context.Context) error { return do(ctx, c) })
		if ctx.Err() != nil || !again(ctx, err) {
			return err
		}
		pause(ctx, shortest)
	}
}

// try makes one of the tries of a call. From the last on they have all the time that is
// left: where there are users, it takes etcd some 100 ms of CPU to check a password.
func try(ctx context.Context, n int, do func(context.Context) error) error {
	if n < tries {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, brief)
		defer cancel()
	}
	return do(ctx)
}

// again reports whether another try may do better.
func again(ctx context.Context, err error) bool {
	if late(err) {
		return true
	}
	return ctx.Value(hasty{}) == nil && code(err) == codes.Unavailable
}

// late reports whether there was no answer in time. A server whose peers hang says so
// in words of its own.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) ||
		code(err) == codes.Unknown && status.Convert(err).Message() == context.DeadlineExceeded.Error()
}

// code is what gRPC says of an error, also where etcd's client has put it into words.
func code(err error) codes.Code {
	var said rpctypes.EtcdError
	if errors.As(err, &said) {
		return said.Code()
	}
	return status.Code(err)
}

// connected returns the client, which the first call makes. With a user that asks the
// cluster for a token, for at most as long as ctx has time.
func (s *Store) connected(ctx context.Context) (*clientv3.Client, error) {
	if err := acquire(ctx, s.dial); err != nil {
		return nil, err
	}
	defer release(s.dial)
	if s.ctx.Err() != nil {
		return nil, errClosed
	}
	if s.client == nil {
		config := s.config
		if end, ok := ctx.Deadline(); ok {
			config.DialTimeout = max(time.Until(end), time.Millisecond)
		}
		c, err := clientv3.New(config)
		if err != nil {
			return nil, err
		}
		s.client = c
	}
	return s.client, nil
}

// acquire waits for a channel of size one, at most until ctx ends.
func acquire(ctx context.Context, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func release(turn chan struct{}) { <-turn }

// Close ends everything, and has the other replicas hear no more of this one, for
// which it waits a second at most. A second time it does nothing.
func (s *Store) Close() {
	s.leave()
	s.close()
	s.dial <- struct{}{}
	defer release(s.dial)
	if s.client != nil {
		_ = s.client.Close()
		s.client = nil
	}
}

func (s *Store) key() string { return s.options.Prefix + "/state" }

// reason says in a few words why a call failed.
func reason(err error) error {
	if late(err) {
		return fmt.Errorf("etcd: no answer within %v", limit)
	}
	return fmt.Errorf("etcd: %w", err)
}

// away is why nothing was changed.
func away(err error) error { return fmt.Errorf("%w: %w", rollout.ErrAway, reason(err)) }
