// Package amqp asks one backend service for JSON over a broker that speaks AMQP 0-9-1, as
// RabbitMQ does.
//
// A question goes to the service's queue by the default exchange, "mandatory", so that a
// queue that is not there is known at once, and with what is left of the call's time as its
// expiration: a question that nobody waits for any more dies in the queue. It is
// confirmed by the broker; one that it could not take fails at once.
//
// Answers come by RabbitMQ's direct reply-to (amq.rabbitmq.reply-to) and not by a queue of
// the client's own: there is nothing to declare anew when a connection was lost, nothing
// that fills up in the broker, and its name, which the broker makes for each channel,
// is known to nobody but whoever got a question. It asks for one thing, that questions
// go out by the channel that answers come by, so there is one channel.
//
// A [Client] has one connection, to one of the brokers that are listed, tried in turn; it
// connects by itself, for ever, with waits of at most a second. While there is none,
// or the broker blocks it because it is short of memory or disk, calls fail at once:
// nothing is kept to be sent later. A broker that hangs is noticed after 3 s.
//
// Package [message] has the table of what a failure is, and of what goes along with a
// question, as headers. An answer's status is its header "status". RabbitMQ bounds what
// an answer takes while it comes, by 128 MiB unless it is told otherwise; one over
// Options.MaxBody is then dropped.
package amqp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/balance"
)

const (
	dialTimeout = time.Second
	setUp       = 3 * time.Second // of a connection, once it is dialed
	heartbeat   = 2 * time.Second
	silence     = 3 * time.Second // that ends a connection; the broker sends a heartbeat each second
	writing     = 3 * time.Second // one write, at most
	farewell    = 300 * time.Millisecond
	firstWait   = 50 * time.Millisecond // between attempts to connect; it doubles
	longWait    = time.Second
)

var (
	errAway      = errors.New("the broker is not there")
	errNoQueue   = errors.New("the queue is not there")
	errRefused   = errors.New("the broker did not take the question")
	errBlocked   = errors.New("the broker is short of memory or disk, and takes no questions")
	errNoConfirm = errors.New("the broker confirms no questions")
)

// Client asks one service over a broker. It is safe for concurrent use.
type Client struct {
	options Options
	calls   *message.Calls
	late    atomic.Uint64
	session atomic.Pointer[session] // nil: there is no connection

	life    context.Context //nolint:containedctx // of the connection
	end     context.CancelFunc
	running sync.WaitGroup
}

// New returns the client of a service, which connects by itself from now on; it does
// not wait for it. The error is a [*fault.Error] that names the option at fault.
func New(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	c := &Client{options: options}
	c.calls = message.NewCalls(options.MaxInFlight, &c.late)
	c.calls.Tell(options.Told)
	c.life, c.end = context.WithCancel(context.Background())
	c.running.Go(c.keep)
	c.running.Go(func() { c.calls.Write(c.life, c.send, c.flush) })
	return c, nil
}

// Close ends the client and what runs for it. Calls in flight fail. It may be called
// more than once.
func (c *Client) Close() {
	c.calls.Break(message.ErrClosed)
	c.end()
	c.running.Wait()
}

// Run returns when ctx ends: nothing has to run beside.
func (c *Client) Run(ctx context.Context) { <-ctx.Done() }

// Stats is what the client has counted.
type Stats struct {
	InFlight int    // calls
	Late     uint64 // answers that were dropped: they were for no call in flight
}

// Stats returns what the client has counted.
func (c *Client) Stats() Stats { return Stats{InFlight: c.calls.InFlight(), Late: c.late.Load()} }

// Status returns the brokers: the one that there is a connection to is in, the others
// are out.
func (c *Client) Status() []balance.Status {
	s, down := c.session.Load(), c.calls.Down()
	all := make([]balance.Status, len(c.options.Servers))
	for i, server := range c.options.Servers {
		all[i] = balance.Status{Address: hostOf(server), State: balance.Out}
		if s != nil && s.server == i && down == nil {
			all[i].State, all[i].InFlight = balance.In, c.calls.InFlight()
		} else if down != nil {
			all[i].Check = down.Error()[:min(len(down.Error()), 200)]
		}
	}
	return all
}

// keep has a session with one broker after another, until the client's end.
func (c *Client) keep() {
	wait := firstWait
	for turn := rand.IntN(len(c.options.Servers)); c.life.Err() == nil; turn++ {
		served, err := c.live(turn % len(c.options.Servers))
		c.calls.Break(err)
		if wait = min(2*wait, longWait); served {
			wait, turn = firstWait, turn-1 // it may be back as soon as another is there
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-c.life.Done():
		}
	}
}

// live has one session, until it ends. served reports that calls could be made for longer
// than one waits for another: a broker that opens sessions and then closes them is left.
func (c *Client) live(server int) (served bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what the broker sent ended in a panic: %v", p)
		}
	}()
	s, err := c.connect(server)
	if err != nil {
		return false, err
	}
	defer s.close()
	defer c.session.Store(nil)
	c.session.Store(s)
	c.calls.Open()
	opened := time.Now()
	err = s.serve(c.life, c.calls)
	return time.Since(opened) > longWait, err
}
