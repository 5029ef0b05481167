package thrift

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/discovery"
)

var (
	errClosed = errors.New("the client is closed")
	errBusy   = errors.New("all connections are in use")
	errPath   = errors.New("has a path, and Thrift knows none")
)

// instance is one server of a service, and the connections to it.
type instance struct {
	address              string
	maxMessage, maxConns int
	idleTimeout          time.Duration
	dialer               net.Dialer
	limits               *lib.TConfiguration // of what is decoded

	mu      sync.Mutex
	idle    []*conn // the longest unused first; the last one is taken first
	open    int     // connections that are idle, in use or being dialed
	closed  bool
	sweeper *time.Timer // set while any connection is idle
}

func newInstance(of discovery.Instance, o Options) (*instance, error) {
	if of.Path != "" {
		return nil, errPath
	}
	most := int32(o.MaxMessage) //nolint:gosec // at most 1 GiB
	return &instance{
		address:     of.Address,
		maxMessage:  o.MaxMessage,
		maxConns:    o.MaxConns,
		idleTimeout: o.IdleTimeout,
		dialer:      net.Dialer{Timeout: o.DialTimeout},
		limits:      &lib.TConfiguration{MaxMessageSize: most, MaxFrameSize: most, MaxContainerSize: most},
	}, nil
}

// acquire returns a kept connection, if reuse allows it and there is one, else a
// new one. It ends with ctx.
func (in *instance) acquire(ctx context.Context, began time.Time, reuse bool) (*conn, error) {
	for reuse {
		cn := in.take()
		if cn == nil {
			break
		}
		if began.Sub(cn.since) < in.idleTimeout {
			cn.reused = true
			return cn, nil
		}
		in.release(cn, false)
	}
	return in.dial(ctx)
}

func (in *instance) take() *conn {
	in.mu.Lock()
	defer in.mu.Unlock()
	last := len(in.idle) - 1
	if last < 0 {
		return nil
	}
	cn := in.idle[last]
	in.idle[last] = nil
	in.idle = in.idle[:last]
	return cn
}

func (in *instance) dial(ctx context.Context) (*conn, error) {
	if err := in.reserve(); err != nil {
		return nil, err
	}
	nc, err := in.dialer.DialContext(ctx, "tcp", in.address)
	if err != nil {
		in.forget(1)
		return nil, err
	}
	return newConn(in, nc), nil
}

// reserve makes room for one more connection, at the cost of the longest unused.
func (in *instance) reserve() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.closed:
		return errClosed
	case in.open < in.maxConns:
		in.open++
	case len(in.idle) > 0:
		in.idle[0].close()
		in.idle = slices.Delete(in.idle, 0, 1)
	default:
		return errBusy
	}
	return nil
}

func (in *instance) forget(n int) {
	in.mu.Lock()
	in.open -= n
	in.mu.Unlock()
}

// release takes a connection back, to keep it or to close it.
func (in *instance) release(cn *conn, keep bool) {
	if keep && in.keep(cn) {
		return
	}
	cn.close()
	in.forget(1)
}

func (in *instance) keep(cn *conn) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return false
	}
	in.idle = append(in.idle, cn)
	if in.sweeper == nil {
		in.sweeper = time.AfterFunc(in.idleTimeout, in.sweep)
	}
	return true
}

// sweep closes what was unused for the idle timeout. It runs only while there
// is something idle.
func (in *instance) sweep() {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := time.Now()
	old := 0
	for old < len(in.idle) && now.Sub(in.idle[old].since) >= in.idleTimeout {
		in.idle[old].close()
		old++
	}
	in.idle = slices.Delete(in.idle, 0, old)
	in.open -= old
	in.sweeper = nil
	if len(in.idle) > 0 {
		in.sweeper = time.AfterFunc(in.idleTimeout-now.Sub(in.idle[0].since), in.sweep)
	}
}

func (in *instance) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	if in.sweeper != nil {
		in.sweeper.Stop()
	}
	for _, cn := range in.idle {
		cn.close()
	}
	in.open -= len(in.idle)
	in.idle = nil
}
