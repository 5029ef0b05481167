// Package zmtp is one connection of ZeroMQ, as ZMTP 3.0 has it
// (https://rfc.zeromq.org/spec/23/), without security: for networks that are trusted. It
// is one between a DEALER and a ROUTER, or between a SUB and a PUB.
//
// The handshake and the form of what is sent are go-zeromq's. Its sockets are not used:
// they send and receive without a context, connect again on a goroutine that nobody
// can stop, and queue without telling. Nor is what is received left to it: it would
// take as much memory as a peer announces, answer a PING in the middle of what another
// goroutine sends, and panic at a handshake that is cut short. So a guard reads ahead
// of it: frames, messages and handshakes have limits, commands never reach it.
package zmtp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// Limits bound what the other end can do.
type Limits struct {
	Message int           // bytes of one, its frames together; up to 64 MiB more cost nobody but their call
	Frames  int           // of one
	Shake   time.Duration // until the handshake is over
	Write   time.Duration // until a message is with the kernel
	Rest    time.Duration // until a message that has begun is here; 0: nothing but SetReadDeadline ends the wait
}

// Conn is a connection. Safe for concurrent use, but that one goroutine receives.
type Conn struct {
	raw   net.Conn
	zmq   *zmq4.Conn
	guard *guard
	write time.Duration

	mu  sync.Mutex // held while a message is sent
	out *bufio.Writer
}

var errHandshake = errors.New("the handshake is malformed")

// Dial connects as a DEALER to the ROUTER at HOST:PORT. It ends with ctx, too.
func Dial(ctx context.Context, dialer *net.Dialer, address string, l Limits) (*Conn, error) {
	return dial(ctx, dialer, address, zmq4.Dealer, l)
}

// DialSub connects as a SUB to the PUB at HOST:PORT, or to the XPUB. It ends with ctx, too.
func DialSub(ctx context.Context, dialer *net.Dialer, address string, l Limits) (*Conn, error) {
	return dial(ctx, dialer, address, zmq4.Sub, l)
}

func dial(ctx context.Context, dialer *net.Dialer, address string, kind zmq4.SocketType, l Limits) (*Conn, error) {
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says all
	}
	return open(ctx, raw, kind, false, l)
}

// Accept makes a connection that was accepted one of a ROUTER's. It ends with ctx, too,
// and closes what it was given if it fails.
func Accept(ctx context.Context, raw net.Conn, l Limits) (*Conn, error) {
	return open(ctx, raw, zmq4.Router, true, l)
}

// AcceptPub is [Accept] for a connection of a PUB's, see [Pub].
func AcceptPub(ctx context.Context, raw net.Conn, l Limits) (*Conn, error) {
	return open(ctx, raw, zmq4.Pub, true, l)
}

func open(ctx context.Context, raw net.Conn, kind zmq4.SocketType, server bool, l Limits) (*Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // whatever waits for the other end
	_ = raw.SetDeadline(time.Now().Add(l.Shake))               // fails only on a closed connection
	c := &Conn{raw: raw, write: l.Write, out: bufio.NewWriterSize(raw, buffer)}
	c.guard = newGuard(raw, l, c.command)
	c.guard.deadline = c.SetReadDeadline
	err := c.shake(kind, server)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	c.guard.shaken()
	_ = raw.SetDeadline(time.Time{})
	return c, nil
}

// shake ends what the library panics at in an error.
func (c *Conn) shake(kind zmq4.SocketType, server bool) (err error) {
	defer func() {
		if recover() != nil {
			err = errHandshake
		}
	}()
	c.zmq, err = zmq4.Open(&wire{c.raw, c}, null.Security(), kind, nil, server, nil)
	if c.guard.fault != nil {
		err = c.guard.fault
	}
	return err //nolint:wrapcheck // it says all
}

// Send sends a message of frames.
func (c *Conn) Send(frames ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.write)) // fails only on a closed connection
	err := c.zmq.SendMsg(zmq4.NewMsgFrom(frames...))
	if err == nil {
		err = c.out.Flush()
	}
	if err != nil {
		_ = c.raw.Close() // what was sent of the message cannot be taken back
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Receive waits for a message, and returns its frames, which are the caller's. One that
// is nil was over the limit, with those before it; one that has no bytes is empty.
func (c *Conn) Receive() ([][]byte, error) {
	m, err := c.zmq.RecvMsg()
	if c.guard.fault != nil {
		return nil, c.guard.fault
	}
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	for _, i := range c.guard.dropped {
		m.Frames[i] = nil
	}
	return m.Frames, nil
}

// SetReadDeadline ends a Receive at a time; the zero time: never.
func (c *Conn) SetReadDeadline(t time.Time) { _ = c.raw.SetReadDeadline(t) } // fails only on a closed connection

// Close ends the connection, and what waits for it. It may be called more than once.
func (c *Conn) Close() { _ = c.raw.Close() }

// command answers a PING: the others say nothing to an end that speaks ZMTP 3.0.
func (c *Conn) command(name string, body []byte) error {
	const ttl = 2 // bytes before a PING's context, which a PONG repeats
	if name != zmq4.CmdPing || len(body) < ttl {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(c.write)) // fails only on a closed connection
	if err := c.zmq.SendCmd(zmq4.CmdPong, body[ttl:]); err != nil {
		return err //nolint:wrapcheck // Receive does
	}
	return c.out.Flush()
}

// wire is what the library reads and writes.
type wire struct {
	net.Conn
	c *Conn
}

func (w *wire) Read(p []byte) (int, error) { return w.c.guard.Read(p) }

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.c.out.Write(p)
	if err == nil && w.c.guard.shaking {
		err = w.c.out.Flush()
	}
	return n, err //nolint:wrapcheck // the library does
}
