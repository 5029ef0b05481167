package amqp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"
)

// most is how many bytes a wire gathers before it writes them.
const most = 64 << 10

// wire is a connection as the library sees it. It waits for its other end for so long and
// no longer, whatever the library forgets; and since it shows the library no deadlines,
// the library does not tell its heartbeat of each frame that comes. What is written while
// it gathers goes out together.
type wire struct {
	conn net.Conn

	mu        sync.Mutex
	gathering bool
	out       []byte
}

var _ io.ReadWriteCloser = (*wire)(nil)

// newWire returns a connection's wire, over TLS if there are secrets.
func newWire(ctx context.Context, conn net.Conn, secrets *tls.Config) (*wire, error) {
	if secrets == nil {
		return &wire{conn: conn}, nil
	}
	secure := tls.Client(conn, secrets)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err //nolint:wrapcheck // the session does
	}
	return &wire{conn: secure}, nil
}

// Read reads, for so long.
func (w *wire) Read(b []byte) (int, error) {
	_ = w.conn.SetReadDeadline(time.Now().Add(silence)) // fails only on a closed connection
	return w.conn.Read(b)                               //nolint:wrapcheck // io.EOF has to be itself
}

// Write writes, or gathers what is to be written.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, b...)
	if w.gathering && len(w.out) < most {
		return len(b), nil
	}
	if err := w.write(); err != nil {
		return 0, err
	}
	return len(b), nil
}

// gather has what is written from now on wait for flush.
func (w *wire) gather() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gathering = true
}

// flush writes what was gathered, and gathers no more. If that fails, so does the session.
func (w *wire) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gathering = false
	if w.write() != nil {
		_ = w.conn.Close()
	}
}

func (w *wire) write() error {
	if len(w.out) == 0 {
		return nil
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(writing)) // fails only on a closed connection
	_, err := w.conn.Write(w.out)
	if w.out = w.out[:0]; cap(w.out) > 2*most {
		w.out = nil
	}
	return err //nolint:wrapcheck // the session does
}

// Close closes the connection.
func (w *wire) Close() error { return w.conn.Close() } //nolint:wrapcheck // nobody looks
