package zmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

const (
	frames   = 8        // of a message at most: what is not an answer may have others than three
	overhead = 16 << 10 // bytes of a message beside its body
	writing  = time.Second
	silence  = 10 * time.Second // of a peer that owes answers, or the rest of a message
)

var (
	errAway = errors.New("the peer is not there")
	errSize = errors.New("the answer is over the limit")
	errForm = errors.New("what is said of the answer is not JSON as agreed")
)

// instance is one peer of a service, and the connection to it.
type instance struct {
	address string
	limits  zmtp.Limits
	dialer  net.Dialer
	calls   *message.Calls
	link    atomic.Pointer[link] // nil: there is no connection
	tried   chan struct{}        // closed once the first attempt to connect has ended
	end     context.CancelFunc
	leave   func() // its publisher
}

// newInstance begins to connect.
func (c *Client) newInstance(life context.Context, address string) *instance {
	o := c.options
	in := &instance{
		address: address,
		limits:  zmtp.Limits{Message: o.MaxBody + overhead, Frames: frames, Shake: o.DialTimeout, Write: writing},
		dialer:  o.dialer(),
		calls:   message.NewCalls(o.MaxInFlight, &c.late),
		tried:   make(chan struct{}),
		leave:   c.publishers.join(o.publisherOf(address)),
	}
	life, in.end = context.WithCancel(life)
	c.running.Go(func() { in.keep(life) })
	c.running.Go(func() { in.calls.Write(life, in.send, nil) })
	return in
}

func (in *instance) close() {
	in.end()
	in.leave()
}

// ask makes a call.
func (in *instance) ask(ctx context.Context, r *message.Request) (message.Answer, error) {
	if err := in.settled(ctx); err != nil {
		return message.Answer{}, err
	}
	return in.calls.Ask(ctx, r)
}

// check says why there is no connection.
func (in *instance) check(ctx context.Context) error {
	if err := in.settled(ctx); err != nil {
		return err
	}
	return in.calls.Down()
}

// settled waits for the first attempt to connect, so that who is new fails no call.
func (in *instance) settled(ctx context.Context) error {
	select {
	case <-in.tried:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep has one connection after another, until the instance's end.
func (in *instance) keep(life context.Context) {
	first := sync.OnceFunc(func() { close(in.tried) })
	defer first()
	defer in.calls.Break(message.ErrClosed)
	dial := func() (*zmtp.Conn, error) { return zmtp.Dial(life, &in.dialer, in.address, in.limits) }
	serve := func(conn *zmtp.Conn) error {
		return attend(life, conn, func() error { return in.serve(conn, first) })
	}
	keep(life, dial, serve, func(err error) {
		in.calls.Break(err)
		first()
	})
}

// serve hears what the peer says, until the connection ends, and says why it did.
func (in *instance) serve(conn *zmtp.Conn, up func()) error {
	l := &link{conn: conn}
	in.link.Store(l)
	defer in.link.Store(nil)
	in.calls.Open()
	up()
	for {
		m, err := conn.Receive()
		if err != nil {
			return err //nolint:wrapcheck // Finish does
		}
		l.heard()
		in.hear(m)
	}
}

// send writes a question.
func (in *instance) send(f *message.Flight) error {
	l := in.link.Load()
	if l == nil {
		return errAway
	}
	along := make(map[string]string, len(f.Head))
	for _, h := range f.Head {
		along[h.Name] = h.Value
	}
	head, err := payload.Encode(along)
	if err != nil {
		return err //nolint:wrapcheck // Finish does
	}
	l.owe()
	return l.conn.Send([]byte(f.ID), []byte(f.To), head, f.Body) //nolint:wrapcheck // Finish does
}

// hear matches an answer with its question.
func (in *instance) hear(m [][]byte) {
	const parts = 3
	if len(m) == 0 {
		in.calls.Stray()
		return
	}
	a := message.Answer{Fault: fmt.Errorf("the answer has %d frames", len(m))}
	switch {
	case len(m) != parts:
	case m[1] == nil || m[2] == nil:
		a.Fault = errSize
	default:
		a = read(m[1], m[2])
	}
	in.calls.Answer(string(m[0]), a)
}

// said is what is said of an answer.
type said struct {
	Status       *int   `json:"status"`
	Error        string `json:"error"`
	ContentType  string `json:"content_type"`
	CacheControl string `json:"cache_control"`
}

func read(about, body []byte) message.Answer {
	s := said{ContentType: "application/json"}
	if len(about) > 0 && payload.Decode(string(about), &s) != nil {
		return message.Answer{Fault: errForm}
	}
	a := message.Answer{Status: message.ParseStatus(""), Said: s.Error, ContentType: s.ContentType, Control: s.CacheControl, Body: body}
	if s.Status != nil {
		a.Status = *s.Status
	}
	return a
}

// link is a connection, and whether the peer owes answers by it.
type link struct {
	conn *zmtp.Conn
	mu   sync.Mutex
	owes bool
}

// owe begins to wait for the peer.
func (l *link) owe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.owes {
		l.owes = true
		l.conn.SetReadDeadline(time.Now().Add(silence))
	}
}

// heard ends the wait; the next question begins it again.
func (l *link) heard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owes {
		l.owes = false
		l.conn.SetReadDeadline(time.Time{})
	}
}
