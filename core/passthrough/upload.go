package passthrough

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// patience measures how long the other side has been waited for. It counts one wait
// however many goroutines wait.
type patience struct {
	mu      sync.Mutex
	waiting int
	since   time.Time
	total   time.Duration
}

func (p *patience) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting++; p.waiting == 1 {
		p.since = time.Now()
	}
}

func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		p.total += time.Since(p.since)
	}
}

func (p *patience) waited() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting > 0 {
		return p.total + time.Since(p.since)
	}
	return p.total
}

var (
	errTooLarge = errors.New("the request's body is larger than it may be")
	errOver     = errors.New("the exchange is over")
)

// upload is the body of a request on its way to the service. The transport reads it on a
// goroutine of its own, which may go on after the answer has come: stop ends that.
type upload struct {
	body   io.Reader
	client *patience
	over   atomic.Bool

	mu    sync.Mutex // one reads
	left  int64      // bytes that may come
	due   int64      // bytes that are to come; below 0: nobody has said
	whole bool
	err   error // of the client's side
}

// Read reads from the client, one byte over the limit at most.
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.over.Load():
		return 0, errOver
	case u.err != nil:
		return 0, u.err
	case u.whole:
		return 0, io.EOF
	}
	if int64(len(p)) > u.left+1 {
		p = p[:u.left+1]
	}
	u.client.begin()
	n, err := u.body.Read(p)
	u.client.end()
	u.due -= int64(n)
	if u.left -= int64(n); u.left < 0 {
		n, err = 0, errTooLarge
	}
	switch {
	case errors.Is(err, errTooLarge):
		u.err = err
	case errors.Is(err, io.EOF), u.due == 0:
		u.whole = true
	case err != nil && u.over.Load(): // that it was stopped is nobody's fault
		err = errOver
	case err != nil:
		u.err = err
	}
	return n, err
}

// Close leaves the body to net/http's server, whose it is.
func (u *upload) Close() error { return nil }

// state tells whether the body has come to its end, and what has gone wrong on the
// client's side, as far as that can be seen at once.
func (u *upload) state() (whole bool, err error) {
	if !u.mu.TryLock() {
		return false, nil // somebody waits for the client
	}
	defer u.mu.Unlock()
	return u.whole, u.err
}

// stop ends the reading: when it returns, nobody reads any more, nor will. A client that
// has not sent all of the body is not waited for. It may be called more than once.
func (u *upload) stop(w http.ResponseWriter) {
	u.over.Store(true)
	if whole, _ := u.state(); !whole {
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // fails only without a connection, in trials
	}
	u.mu.Lock() // whoever reads is told by now
	defer u.mu.Unlock()
}

// atEnd has something done when ctx ends, unless it is released before. Once that has
// returned it is done, or never will be.
func atEnd(ctx context.Context, do func()) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		do()
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}
