package server

import (
	"context"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// What a client has of the kernel's memory for what it has not taken yet: so that a slow
// one is noticed after some 100 events. One that is too slow gets some more, so that the
// reason fits behind all that it has not read.
const (
	socketBuffer  = 16 << 10
	partingBuffer = 64 << 10
)

// A client that takes nothing is told to be too slow after patience, and cut off after
// parting, which is within 10 s of when it stopped. The room looks around each glance.
const (
	patience = 8 * time.Second
	parting  = 1500 * time.Millisecond
	glance   = 250 * time.Millisecond
)

// unacknowledged is how long a client's kernel may acknowledge nothing of what was sent.
const unacknowledged = 10 * time.Second

// room is where clients are that follow what keeps coming. One goroutine looks after all
// of them while there are any, so that none needs a timer.
type room struct {
	mu      sync.Mutex
	clients map[*client]struct{}
	users   map[string]int
	ended   map[Ending]uint64
	left    chan struct{} // closed when the last one has left
	events  atomic.Uint64

	leaving chan struct{} // closed when all have to go
	closed  bool
}

// client is one who follows.
type client struct {
	transport, class, user string
	heartbeat              time.Duration
	conn                   *net.TCPConn  // nil until the answer begins; guarded by the room
	wake                   chan struct{} // holds one token when a heartbeat is due

	since atomic.Int64 // when the write in progress began, as Unix nanoseconds; 0: none is
	quiet atomic.Int64 // since when nothing has been sent, likewise
	slow  atomic.Bool
	over  time.Time // when a slow one is cut off; the room's
}

func newRoom() *room {
	return &room{
		clients: make(map[*client]struct{}), users: make(map[string]int), ended: make(map[Ending]uint64), leaving: make(chan struct{}),
	}
}

var (
	errRoomClosed = fault.New(fault.Unavailable, "this gateway is stopping")
	errRoomFull   = fault.New(fault.Unavailable, "as many clients follow as may")
	errUserFull   = fault.New(fault.Limited, "this user follows as much as one may")
)

// enter lets a client in, who has to leave. Connections get a bound of what the kernel
// holds for them.
func (r *room) enter(c *client, limits Clients) error {
	c.wake = make(chan struct{}, 1)
	c.quiet.Store(time.Now().UnixNano())
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return errRoomClosed
	case len(r.clients) >= limits.Max:
		return errRoomFull
	case c.user != "" && limits.MaxPerUser > 0 && r.users[c.user] >= limits.MaxPerUser:
		return errUserFull
	}
	r.clients[c] = struct{}{}
	if c.user != "" {
		r.users[c.user]++
	}
	if len(r.clients) == 1 {
		r.left = make(chan struct{})
		go r.look(r.left)
	}
	return nil
}

// attach gives a client its connection, of which the kernel is to hold little that has
// not been taken.
func (r *room) attach(c *client, conn *net.TCPConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.conn = conn
	_ = conn.SetWriteBuffer(socketBuffer)
	endUnacknowledged(conn, unacknowledged)
}

// leave lets it out.
func (r *room) leave(c *client, why Ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[why]++
	delete(r.clients, c)
	if r.users[c.user]--; r.users[c.user] <= 0 {
		delete(r.users, c.user)
	}
	if len(r.clients) == 0 {
		close(r.left)
	}
}

// look looks after the clients until the last one has left.
func (r *room) look(left <-chan struct{}) {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		select {
		case <-left:
			return
		case now := <-ticker.C:
			r.glance(now)
		}
	}
}

func (r *room) glance(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.clients {
		c.tend(now)
	}
}

// tend sees to a client: it is slow, or slow for too long, or needs a heartbeat.
func (c *client) tend(now time.Time) {
	since := c.since.Load()
	switch {
	case !c.over.IsZero():
		if now.After(c.over) && c.conn != nil {
			_ = c.conn.Close() // whoever writes to it notices
		}
	case since > 0 && now.UnixNano()-since >= int64(patience):
		c.over = now.Add(parting)
		c.slow.Store(true)
		if c.conn != nil {
			_ = c.conn.SetWriteBuffer(partingBuffer) // now what is being written fits, and the reason
		}
	case since == 0 && now.UnixNano()-c.quiet.Load() >= int64(c.heartbeat):
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// writing takes the time of a write to the client.
func (c *client) writing(write func() error) error {
	c.since.Store(time.Now().UnixNano())
	err := write()
	c.quiet.Store(time.Now().UnixNano())
	c.since.Store(0)
	return err
}

// drain has all clients go, and cuts those off that have not when ctx ends.
func (r *room) drain(ctx context.Context) {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.leaving)
	}
	left, some := r.left, len(r.clients) > 0
	r.mu.Unlock()
	if !some {
		return
	}
	select {
	case <-left:
		return
	case <-ctx.Done():
		r.cut()
	}
	timer := time.NewTimer(parting) // whoever follows notices at once that its connection is closed
	defer timer.Stop()
	select {
	case <-left:
	case <-timer.C:
	}
}

func (r *room) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.clients {
		if c.conn != nil {
			_ = c.conn.Close()
		}
	}
}

// Clients tells who follows what keeps coming.
func (s *Server) Clients() ClientStats {
	r := s.room
	stats := ClientStats{Clients: map[string]map[string]int{TransportSSE: {}, TransportWebSocket: {}}, Events: r.events.Load()}
	r.mu.Lock()
	defer r.mu.Unlock()
	stats.Ended = maps.Clone(r.ended)
	for c := range r.clients {
		stats.Clients[c.transport][c.class]++
	}
	return stats
}
