package message

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrClosed is how calls of a client fail that is closed.
	ErrClosed = errors.New("the client is closed")

	errNotYet = errors.New("there is no connection yet")
	errFull   = errors.New("too many calls are in flight")
	errStuck  = errors.New("the connection takes no more questions")
)

// Calls are those in flight over one connection. Safe for concurrent use.
type Calls struct {
	most  int
	queue chan *Flight // twice as long as there may be calls: those that ended are in it until the writer comes to them

	mu     sync.Mutex
	flying map[string]*Flight
	down   error       // why there is no connection; nil: there is
	told   func(error) // of changes of that; nil: nobody is

	late *atomic.Uint64
}

// Flight is a call that is in flight.
type Flight struct {
	*Request

	ID       string    // that nobody can guess
	Deadline time.Time // of the call

	landed chan result // one, from whoever takes it out of those that fly
	over   atomic.Bool // nobody waits for it
	sent   atomic.Bool
}

type result struct {
	answer Answer
	err    error
}

// NewCalls returns calls of which so many may be in flight, and says where answers are
// counted that are for none of them: they are late, come twice, or are made up. There is
// no connection before [Calls.Open].
func NewCalls(most int, late *atomic.Uint64) *Calls {
	return &Calls{most: most, late: late, queue: make(chan *Flight, 2*most), flying: make(map[string]*Flight), down: errNotYet}
}

// Tell has someone told when a connection comes (nil) and goes (why), one after the other,
// but not of the end. It has to return soon, and comes before all other calls.
func (c *Calls) Tell(told func(error)) { c.told = told }

// Open says that there is a connection.
func (c *Calls) Open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(nil)
}

// turn notes what there is now. Nothing comes after the end.
func (c *Calls) turn(down error) {
	before := c.down
	if errors.Is(before, ErrClosed) {
		return
	}
	c.down = down
	changed := (before == nil) != (down == nil) || errors.Is(before, errNotYet)
	if changed && c.told != nil && !errors.Is(down, ErrClosed) {
		c.told(down)
	}
}

// Break says that there is none, and why: what is in flight fails, and so does what is
// asked until there is one again. After [ErrClosed] there is none any more.
func (c *Calls) Break(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(err)
	for id, f := range c.flying {
		delete(c.flying, id)
		f.land(result{err: err})
	}
}

// Hold says that no more questions are taken, and why, until there is a connection
// again. What is in flight may still be answered.
func (c *Calls) Hold(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(err)
}

// Down returns why there is no connection, nil if there is one.
func (c *Calls) Down() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}

// InFlight returns how many calls are.
func (c *Calls) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.flying)
}

// Ask makes a call, and waits for its answer. It ends with ctx, which has a deadline.
func (c *Calls) Ask(ctx context.Context, r *Request) (Answer, error) {
	deadline, _ := ctx.Deadline()
	f := &Flight{Request: r, ID: rand.Text(), Deadline: deadline, landed: make(chan result, 1)}
	if err := c.begin(f); err != nil {
		return Answer{}, err
	}
	end := c.await(ctx, f)
	if r.Record != nil && (f.sent.Load() || end.err == nil) {
		r.Record.Attempts++
	}
	return end.answer, end.err
}

// unhooked is how long a call waits at most before it hooks itself to its context: a
// timer that is used again is cheap and a hook is not, and most answers come before.
const unhooked = 30 * time.Millisecond

var timers = sync.Pool{New: func() any { return time.NewTimer(unhooked) }}

// await waits for what becomes of a call.
func (c *Calls) await(ctx context.Context, f *Flight) result {
	timer, _ := timers.Get().(*time.Timer)
	defer timers.Put(timer)
	defer timer.Stop()
	timer.Reset(min(unhooked, time.Until(f.Deadline)))
	select {
	case end := <-f.landed:
		return end
	case <-timer.C:
	}
	select {
	case end := <-f.landed:
		return end
	case <-ctx.Done():
	}
	if c.take(f.ID) == nil {
		return <-f.landed // it has come, or is about to
	}
	f.over.Store(true)
	return result{err: ctx.Err()}
}

// begin puts a call into the queue.
func (c *Calls) begin(f *Flight) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.down != nil:
		return c.down
	case len(c.flying) >= c.most:
		return errFull
	}
	select {
	case c.queue <- f:
		c.flying[f.ID] = f
		return nil
	default:
		return errStuck
	}
}

// take returns the call of an id, which is in flight no more; nil if it is of none.
func (c *Calls) take(id string) *Flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flying[id]
	delete(c.flying, id)
	return f
}

func (f *Flight) land(r result) {
	f.over.Store(true)
	f.landed <- r
}

// Answer gives the call of an id its answer. If it is of none, it is counted.
func (c *Calls) Answer(id string, a Answer) {
	if f := c.take(id); f != nil {
		f.land(result{answer: a})
		return
	}
	c.late.Add(1)
}

// Fail ends the call of an id, if it is of one.
func (c *Calls) Fail(id string, err error) {
	if f := c.take(id); f != nil {
		f.land(result{err: err})
	}
}

// Stray counts an answer that has not even the form of one.
func (c *Calls) Stray() { c.late.Add(1) }

// Write has send write each call, one after another, until ctx ends: send may be slow,
// and calls do not wait for it. What a call ends in whose send fails is its error. flush,
// which may be nil, comes after those that were there together.
func (c *Calls) Write(ctx context.Context, send func(*Flight) error, flush func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-c.queue:
			c.write(f, send)
			if flush != nil {
				c.writeAll(send)
				runtime.Gosched() // others are about to ask
				c.writeAll(send)
				flush()
			}
		}
	}
}

// writeAll writes what is in the queue, which is no more than there may be calls.
func (c *Calls) writeAll(send func(*Flight) error) {
	for range len(c.queue) {
		c.write(<-c.queue, send)
	}
}

func (c *Calls) write(f *Flight, send func(*Flight) error) {
	if f.over.Load() {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			c.Fail(f.ID, fmt.Errorf("the question ended in a panic: %v", p))
		}
	}()
	f.sent.Store(true)
	if err := send(f); err != nil {
		f.sent.Store(false)
		c.Fail(f.ID, err)
	}
}
