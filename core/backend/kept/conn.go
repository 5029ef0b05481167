// Package kept keeps connections between calls that run on their callers' goroutines, one
// call at a time on each, and ends what a call is blocked in when its context ends.
//
// For the first 10 to 30 ms a deadline on the connection is all that watches over a call;
// only one that takes longer pays for a hook on its context, which costs 860 ns and five
// allocations. So a call that is cancelled may notice it 30 ms late, and one whose
// deadline passes notices at once.
//
// A kept connection is looked at each time before it is used again, so that an answer that
// nobody asked for reaches nobody. Only Unix has the means: elsewhere a connection
// serves once.
package kept

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// ErrSpoiled is how [Conn.Send] ends, before anything was sent, if a kept connection
// cannot serve again.
var ErrSpoiled = errors.New("the kept connection has ended, or says what nobody asked for")

// Conn is one connection. One call at a time uses it: [Conn.Begin] begins its exchange,
// and [Conn.End] ends it.
type Conn struct {
	nc     net.Conn
	raw    syscall.RawConn // nil if the platform has none
	sender *sender
	watch  watch
	since  time.Time // when its last exchange began
	reused bool

	spoiled bool  // nothing was written: it could not serve again
	heard   bool  // a byte of the answer came
	lost    error // the last error of the connection itself
}

func newConn(nc net.Conn) *Conn {
	c := &Conn{nc: nc, sender: newSender(), watch: newWatch(nc)}
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	return c
}

// Kept returns the connection itself.
func (c *Conn) Kept() *Conn { return c }

// Begin begins an exchange at a time, which has so much time left. It ends with ctx.
func (c *Conn) Begin(ctx context.Context, at time.Time, left time.Duration) {
	c.spoiled, c.heard, c.lost = false, false, nil
	c.since = at
	c.watch.begin(ctx, at, left)
}

// Read reads of the answer, for whatever buffers it.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.nc.Read(p)
	for n == 0 && c.watch.goOn(err) {
		n, err = c.nc.Read(p)
	}
	c.heard = c.heard || n > 0
	if err != nil {
		c.lost = err
	}
	return n, err //nolint:wrapcheck // io.EOF has to be itself
}

// Send sends a question.
func (c *Conn) Send(p []byte) error {
	sent, ok := c.send(p)
	if !ok {
		c.spoiled = true
		return ErrSpoiled
	}
	if p = p[sent:]; len(p) == 0 {
		return nil
	}
	n, err := c.nc.Write(p)
	for c.watch.goOn(err) {
		p = p[n:]
		n, err = c.nc.Write(p)
	}
	if err != nil {
		c.lost = err
	}
	return err //nolint:wrapcheck // the client does
}

// Lost returns how the connection itself failed in this exchange, nil if it did not.
func (c *Conn) Lost() error { return c.lost }

// Spoiled reports that a kept connection could not serve again: nothing was sent.
func (c *Conn) Spoiled() bool { return c.spoiled }

// Unheard reports that a kept connection was found closed by its server, before one
// byte of an answer.
func (c *Conn) Unheard() bool { return c.reused && !c.heard && c.lost != nil }

// End ends an exchange. It reports false if the connection may be stopped at any time
// now, and must not serve another call.
func (c *Conn) End() bool { return c.watch.unhook() }

func (c *Conn) close() { _ = c.nc.Close() }
