package kept

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

var (
	errClosed = errors.New("the client is closed")
	errBusy   = errors.New("all connections are in use")
)

// Member is a connection with what its protocol adds to it: a struct that embeds
// *[Conn].
type Member interface{ Kept() *Conn }

// Options is what a [Pool] is made from. All of them are over zero.
type Options struct {
	Address     string        // host:port
	MaxConns    int           // idle, in use and being dialed
	DialTimeout time.Duration // of one attempt
	IdleTimeout time.Duration // how long an unused connection is kept
}

// Pool is the connections to one server. It is safe for concurrent use.
type Pool[M Member] struct {
	options Options
	dialer  net.Dialer
	wrap    func(*Conn) M

	mu      sync.Mutex
	idle    []M // the longest unused first; the last one is taken first
	open    int // connections that are idle, in use or being dialed
	closed  bool
	sweeper *time.Timer // set while any connection is idle
}

// NewPool returns a pool without connections. wrap adds to each what its protocol needs.
func NewPool[M Member](options Options, wrap func(*Conn) M) *Pool[M] {
	return &Pool[M]{options: options, dialer: net.Dialer{Timeout: options.DialTimeout}, wrap: wrap}
}

// Acquire returns a kept connection, if reuse allows it and there is one, else a new one,
// for an exchange that begins now. It ends with ctx; it fails at once if the pool is
// closed, or all its connections are in use.
func (p *Pool[M]) Acquire(ctx context.Context, now time.Time, reuse bool) (M, error) {
	for reuse {
		m, ok := p.take()
		if !ok {
			break
		}
		if c := m.Kept(); now.Sub(c.since) < p.options.IdleTimeout {
			c.reused = true
			return m, nil
		}
		p.Release(m, false)
	}
	return p.dial(ctx)
}

func (p *Pool[M]) take() (m M, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return m, false
	}
	m, p.idle[last] = p.idle[last], m
	p.idle = p.idle[:last]
	return m, true
}

func (p *Pool[M]) dial(ctx context.Context) (m M, err error) {
	if err := p.reserve(); err != nil {
		return m, err
	}
	nc, err := p.Dial(ctx)
	if err != nil {
		p.forget(1)
		return m, err
	}
	return p.wrap(newConn(nc)), nil
}

// Dial returns a connection beside the pool, to look at the server.
func (p *Pool[M]) Dial(ctx context.Context) (net.Conn, error) {
	return p.dialer.DialContext(ctx, "tcp", p.options.Address) //nolint:wrapcheck // the client does
}

// reserve makes room for one more connection, at the cost of the longest unused.
func (p *Pool[M]) reserve() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.open < p.options.MaxConns:
		p.open++
	case len(p.idle) > 0:
		p.idle[0].Kept().close()
		p.idle = slices.Delete(p.idle, 0, 1)
	default:
		return errBusy
	}
	return nil
}

func (p *Pool[M]) forget(n int) {
	p.mu.Lock()
	p.open -= n
	p.mu.Unlock()
}

// Release takes a connection back, to keep it or to close it.
func (p *Pool[M]) Release(m M, keep bool) {
	if keep && p.keep(m) {
		return
	}
	m.Kept().close()
	p.forget(1)
}

func (p *Pool[M]) keep(m M) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.idle = append(p.idle, m)
	if p.sweeper == nil {
		p.sweeper = time.AfterFunc(p.options.IdleTimeout, p.sweep)
	}
	return true
}

// sweep closes what was unused for the idle timeout. It runs only while there
// is something idle.
func (p *Pool[M]) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	unused := func(i int) time.Duration { return now.Sub(p.idle[i].Kept().since) }
	old := 0
	for old < len(p.idle) && unused(old) >= p.options.IdleTimeout {
		p.idle[old].Kept().close()
		old++
	}
	p.idle = slices.Delete(p.idle, 0, old)
	p.open -= old
	p.sweeper = nil
	if len(p.idle) > 0 {
		p.sweeper = time.AfterFunc(p.options.IdleTimeout-unused(0), p.sweep)
	}
}

// Close closes what is idle; what is in use is closed when it is released. It may be
// called more than once.
func (p *Pool[M]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
	for _, m := range p.idle {
		m.Kept().close()
	}
	p.open -= len(p.idle)
	p.idle = nil
}
