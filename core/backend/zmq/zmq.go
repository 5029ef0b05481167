// Package zmq asks one backend service for JSON over ZeroMQ, without a broker, and hears
// what it publishes: a DEALER of this gateway's talks to a ROUTER of each of the service's
// instances, and a SUB listens to each of its PUB sockets.
//
// A [Client] is one service: its instances, of which [balance.Pool] chooses one for an
// attempt, each with one connection that is kept, and made anew for ever with waits of at
// most a second. While there is none, calls to that instance fail at once. Many calls are
// in flight on a connection; their ids say which answer is whose. A connection ends, and
// another is made, when a peer breaks the rules of the protocol or of the limits, owes
// answers and says nothing for ten seconds, or does not answer TCP's keepalive.
//
// # Messages
//
// A question has four frames, which a ROUTER finds behind the one that it puts before
// them: an id, a method, what goes along as a JSON object of texts, and the query as JSON.
// An answer has three: the id, a JSON object of what is said of it, and its body as JSON.
// The object may be empty: no bytes, or {}. It may hold "status" (a number, as HTTP has
// them), "error" (a text for the log), "content_type" and "cache_control".
//
// Package [message] has the table of what a failure is. Package zmtp says what of
// go-zeromq is used.
//
// # Subscriptions
//
// What is published has two frames: a topic, and a body. Each instance publishes its own
// changes, so that [Subscribe] listens to all publishers that [Options] names, by one
// connection to each for all subscriptions, which is kept as those to instances are.
// ZeroMQ takes a topic for the beginning of others; here it is exactly one, and messages of
// others are dropped. No publisher confirms a subscription: it is held to be in force 100 ms
// after the kernel has taken it.
//
// A publisher that says nothing is no other than one that has nothing to say. One that does
// not answer TCP's keepalive, or not end a message within 10 s, is connected to anew.
package zmq

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Client asks the instances of one service. It is safe for concurrent use.
type Client struct {
	options Options
	*balance.Pool[*instance]

	end        context.CancelFunc
	running    sync.WaitGroup // what runs for instances and publishers
	late       atomic.Uint64
	publishers *publishers
}

// New returns the client of a service. It begins to connect to the instances and the
// publishers that are listed, and does not wait for it. The error is a [*fault.Error] that names the option at
// fault.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	listed, err := discovery.Listed("tcp", options.Instances)
	if err != nil {
		return nil, err
	}
	publishers, err := options.listed()
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	c := &Client{options: options, end: end}
	c.publishers = newPublishers(life, c)
	open := func(of discovery.Instance) (*instance, error) {
		return c.newInstance(life, of.Address), nil
	}
	if c.Pool, err = balance.New(options.Balance, open, (*instance).close); err != nil {
		end()
		return nil, err //nolint:wrapcheck // it names the field
	}
	for _, one := range publishers {
		c.publishers.join(one.Address)
	}
	c.Probe(func(ctx context.Context, in *instance) error { return in.check(ctx) })
	if len(listed) > 0 {
		if err := c.Update(listed); err != nil {
			c.Close()
			return nil, fault.InvalidField("instances", err.Error())
		}
	}
	return c, nil
}

// Close ends the client and what runs for it. Calls in flight fail, and subscriptions end. It may be called
// more than once.
func (c *Client) Close() {
	c.Pool.Close()
	c.end()
	c.running.Wait()
}

// Stats is what the client has counted, over all instances that there were.
type Stats struct {
	InFlight int    // calls
	Late     uint64 // answers that were dropped: they were for no call in flight
	Lost     uint64 // messages of subscriptions that nobody took in time, or that were none
}

// Stats returns what the client has counted.
func (c *Client) Stats() Stats {
	s := Stats{Late: c.late.Load(), Lost: c.publishers.lost.Load()}
	for _, one := range c.Status() {
		s.InFlight += one.InFlight
	}
	return s
}

// Listens reports whether the client was told where changes are published.
func (c *Client) Listens() bool { return len(c.options.Publishers) > 0 || c.options.PublisherPort > 0 }

// Publishers returns those that are subscribed to, by their addresses: In if there is a
// connection, or Out.
func (c *Client) Publishers() []balance.Status { return c.publishers.status() }

// Request asks a method of an instance, with a query that is sent as JSON, and decodes
// the answer. Unknown fields are ignored; the strings of the value share one body. A
// request is sent once. Attempts, bytes and caching go to the call that ctx belongs to.
func Request[T any](ctx context.Context, c *Client, method string, query any) (T, error) {
	value := new(T)
	if err := c.do(ctx, method, query, value, false); err != nil {
		return *new(T), err
	}
	return *value, nil
}

// RequestList is [Request] for an answer whose elements are remembered one by one: its
// strings share nothing. value is what to decode into.
func RequestList[T any](ctx context.Context, c *Client, method string, query any, value T) (T, error) {
	if err := c.do(ctx, method, query, &value, true); err != nil {
		return *new(T), err
	}
	return value, nil
}

const maxMethod = 255 // bytes

var errMethod = errors.New("the method's name is none")

func (c *Client) do(ctx context.Context, method string, query, value any, apart bool) error {
	if method == "" || len(method) > maxMethod {
		return fault.Because(fault.None, errMethod)
	}
	by := message.Asked{Service: c.options.Service, MaxBody: c.options.MaxBody}
	return message.Do(ctx, by, method, query, value, apart, c.carry)
}

// carry makes an attempt, and tells what it says of its instance: nothing, if it ends
// in a panic.
func (c *Client) carry(ctx context.Context, r *message.Request) (err error) {
	var spread *report.Spread
	if r.Record != nil {
		spread = r.Record.Spread
	}
	m, err := c.Pick(spread)
	if err != nil {
		return r.Finish(ctx, "", message.Answer{}, err)
	}
	began, said := time.Now(), balance.Silent
	defer func() { m.Done(said, time.Since(began)) }()
	a, err := m.C.ask(ctx, r)
	err = r.Finish(ctx, m.C.address, a, err)
	said = balance.Judge(ctx, err, r.Had)
	return err
}
