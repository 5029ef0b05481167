package nats

import (
	"math/rand/v2"
	"net"
	"time"
)

// dialer dials for a session, until the client ends. Its first attempts fail at once:
// NATS's client makes them where it is made, and would hold up who makes it; it makes
// others on a goroutine of its own.
type dialer struct {
	client  *Client
	session *session
}

// Dial is what NATS's client calls.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	if !d.session.open.Load() {
		return nil, errNotYetDial
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(d.client.life, network, address)
	if err != nil {
		d.client.calls.Break(err) // there was none before
		return nil, err           //nolint:wrapcheck // Status tells it
	}
	if before := d.session.dialed.Swap(&conn); before != nil {
		_ = (*before).Close() // NATS's client leaves open what did not answer as NATS does
	}
	return conn, nil
}

// hangUp ends the connection of a session, whatever waits for it.
func (s *session) hangUp() {
	if conn := s.dialed.Load(); conn != nil {
		_ = (*conn).Close() // mostly it is closed
	}
}

// jitter returns half of a time up to all of it, so that not all come back at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }
