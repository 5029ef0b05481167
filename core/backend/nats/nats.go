// Package nats asks one backend service for JSON over NATS, and hears what it publishes.
//
// A [Client] has one connection, to any of the cluster's servers that are listed; it
// connects by itself, for ever, with waits of at most a second. While there is no
// connection, calls fail at once: nothing is kept to be sent later. Two pings without
// an answer, 2 s apart, end a connection whose server hangs.
//
// Questions are requests with a reply subject of their own below one inbox, whose name
// nobody can guess. A subject on which nobody listens is known at once ("no responders").
// An answer's status is what NATS's own services say of a failure: the headers
// Nats-Service-Error-Code and Nats-Service-Error (ADR-32).
//
// Package [message] has the table of what a failure is, and of what goes along with a
// question, as headers.
package nats

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/balance"
)

const (
	dialTimeout  = time.Second
	writeTimeout = time.Second
	pingEvery    = 2 * time.Second
	maxPings     = 2
	firstWait    = 50 * time.Millisecond // between rounds of attempts to connect; it doubles
	longWait     = time.Second
	answerBytes  = 64 << 20 // of answers that came and were not matched yet
)

var (
	errAway       = errors.New("NATS is not there")
	errNobody     = errors.New("nobody listens to the subject")
	errNotYetDial = errors.New("not yet")
)

// Client asks one service over NATS. It is safe for concurrent use.
type Client struct {
	options Options
	calls   *message.Calls
	late    atomic.Uint64
	inbox   string // before the id of each call
	lost    atomic.Uint64

	life    context.Context //nolint:containedctx // of the connection
	end     context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	session *session
	broken  chan struct{} // closed when the connection breaks; nil: there is none
	hearing map[*hearing]struct{}
}

// session is one client of NATS's own, which connects again and again, until a server
// makes it give up.
type session struct {
	conn   *nats.Conn
	closed chan struct{} // it has given up
	dialed atomic.Pointer[net.Conn]
	open   atomic.Bool // its dials are for real
}

// New returns the client of a service, which connects by itself from now on; it does
// not wait for it. The error is a [*fault.Error] that names the option at fault.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	c := &Client{options: options, inbox: nats.NewInbox() + ".", hearing: map[*hearing]struct{}{}}
	c.calls = message.NewCalls(options.MaxInFlight, &c.late)
	c.calls.Tell(options.Told)
	c.life, c.end = context.WithCancel(context.Background())
	c.running.Go(c.keep)
	c.running.Go(func() { c.calls.Write(c.life, c.send, nil) })
	return c, nil
}

// Close ends the client and what runs for it. Calls in flight fail. It may be called
// more than once.
func (c *Client) Close() {
	c.down(message.ErrClosed)
	c.end()
	c.running.Wait()
}

// Run returns when ctx ends: nothing has to run beside.
func (c *Client) Run(ctx context.Context) { <-ctx.Done() }

// Stats is what the client has counted.
type Stats struct {
	InFlight int    // calls
	Late     uint64 // answers that were dropped: they were for no call in flight
	Lost     uint64 // messages of subscriptions that nobody took in time
}

// Stats returns what the client has counted.
func (c *Client) Stats() Stats {
	return Stats{InFlight: c.calls.InFlight(), Late: c.late.Load(), Lost: c.lost.Load()}
}

// Status returns the servers: the one that there is a connection to is in, the others
// are out.
func (c *Client) Status() []balance.Status {
	used, down := "", c.calls.Down()
	if s := c.current(); s != nil && down == nil {
		used = hostOf(s.conn.ConnectedUrl())
	}
	all := make([]balance.Status, len(c.options.Servers))
	for i, server := range c.options.Servers {
		all[i] = balance.Status{Address: hostOf(server), State: balance.Out}
		if all[i].Address == used {
			all[i].State, all[i].InFlight = balance.In, c.calls.InFlight()
		} else if down != nil {
			all[i].Check = down.Error()[:min(len(down.Error()), 200)]
		}
	}
	return all
}

func (c *Client) current() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// connected returns the session, and what is closed when its connection breaks; nil if
// there is no connection.
func (c *Client) connected() (*session, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		return nil, nil
	}
	return c.session, c.broken
}

// up says that there is a connection.
func (c *Client) up() {
	c.mu.Lock()
	if c.broken == nil {
		c.broken = make(chan struct{})
	}
	c.mu.Unlock()
	c.calls.Open()
}

// down says that there is none, and why: what is in flight fails, and subscriptions end.
func (c *Client) down(err error) {
	c.mu.Lock()
	if c.broken != nil {
		close(c.broken)
		c.broken = nil
	}
	c.mu.Unlock()
	c.calls.Break(err)
}

// keep has a session, and another one when it gives up, until the client's end.
func (c *Client) keep() {
	for wait := firstWait; c.life.Err() == nil; wait = min(2*wait, longWait) {
		began := time.Now()
		c.live()
		if time.Since(began) > longWait {
			wait = firstWait
		}
		select {
		case <-time.After(wait):
		case <-c.life.Done():
		}
	}
}

// live has one session, until it gives up or the client ends.
func (c *Client) live() {
	s, err := c.connect()
	if err != nil {
		c.calls.Break(err)
		return
	}
	select {
	case <-s.closed:
	case <-c.life.Done():
	}
	s.hangUp() // who waits for a server holds the lock that Close needs
	s.conn.Close()
	<-s.closed
	c.down(errAway)
}

// connect makes a session. It does not wait: the session connects by itself.
func (c *Client) connect() (*session, error) {
	s := &session{closed: make(chan struct{})}
	o := nats.GetDefaultOptions()
	o.Servers, o.TLSConfig = c.options.Servers, c.options.TLS
	o.CustomDialer = &dialer{client: c, session: s}
	for _, set := range c.behaviour(s) {
		if err := set(&o); err != nil {
			return nil, err //nolint:wrapcheck // Status tells it
		}
	}
	conn, err := o.Connect()
	if err != nil {
		return nil, err //nolint:wrapcheck // Status tells it
	}
	s.conn = conn
	answers, err := conn.Subscribe(c.inbox+"*", c.hear)
	if err != nil {
		conn.Close()
		return nil, err //nolint:wrapcheck // Status tells it
	}
	_ = answers.SetPendingLimits(waiting, answerBytes) // fails only on one that has ended
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	s.open.Store(true) // from now on it connects
	return s, nil
}

// behaviour is how a session goes about a NATS that comes and goes.
func (c *Client) behaviour(s *session) []nats.Option {
	up := func(*nats.Conn) { c.up() }
	return []nats.Option{
		nats.Name("facet"),
		nats.Timeout(dialTimeout), nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(func(round int) time.Duration { return c.pause(s, round) }), nats.ReconnectBufSize(-1),
		nats.FlusherTimeout(writeTimeout), nats.ReconnectOnFlusherError(),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings),
		nats.ConnectHandler(up), nats.ReconnectHandler(up),
		nats.DisconnectErrHandler(func(conn *nats.Conn, err error) { c.away(conn, err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.refused(err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(s.closed) }),
	}
}

// away fails what is in flight: no answer can come any more.
func (c *Client) away(conn *nats.Conn, err error) {
	if err == nil {
		err = conn.LastError()
	}
	if err == nil {
		err = errAway
	}
	c.down(err)
}

// pause is how long a session waits when it has tried all servers.
func (c *Client) pause(s *session, round int) time.Duration {
	if round > 1 && s.open.Load() { // conn is there
		if err := s.conn.LastError(); err != nil {
			c.calls.Break(err) // of a server that answers what is of no use
		}
	}
	d := firstWait
	for i := 1; i < round && d < longWait; i++ {
		d *= 2
	}
	return jitter(min(d, longWait))
}
