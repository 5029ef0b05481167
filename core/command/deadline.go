package command

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// runContext is the context of one run. It ends with the request, when the
// command's time is over, or when the run has returned; and it carries the
// record of the call. Its timer, and its place among the request's children,
// are made when somebody first waits for its end: clients that bound their
// connections by Deadline seldom do, and are spared 1 µs and five allocations.
type runContext struct {
	context.Context // of the request
	call            *report.Call
	deadline        time.Time // of the command

	mu    sync.Mutex // one arms it
	armed atomic.Pointer[armedContext]
}

// armedContext is the same context, with a timer.
type armedContext struct {
	context.Context
	cancel context.CancelFunc
}

func newRunContext(request context.Context, call *report.Call, deadline time.Time) *runContext {
	return &runContext{Context: request, call: call, deadline: deadline}
}

// Deadline returns the earlier of the command's and the request's.
func (c *runContext) Deadline() (time.Time, bool) {
	if d, ok := c.Context.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Done is closed when the run is to end.
func (c *runContext) Done() <-chan struct{} { return c.arm().Done() }

// Err returns why the run is to end, nil while it may go on.
func (c *runContext) Err() error {
	if armed := c.armed.Load(); armed != nil {
		return armed.Err()
	}
	if c.Context.Err() == nil && time.Now().Before(c.deadline) {
		return nil
	}
	return c.arm().Err()
}

// Value answers for [report.CallFrom]; [context.Cause] asks here, too, and hears
// the command's own cause.
func (c *runContext) Value(key any) any {
	if key == (report.CallKey{}) {
		return c.call
	}
	if armed := c.armed.Load(); armed != nil {
		return armed.Value(key)
	}
	return c.Context.Value(key)
}

func (c *runContext) arm() *armedContext {
	if armed := c.armed.Load(); armed != nil {
		return armed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.armed.Load() == nil {
		ctx, cancel := context.WithDeadlineCause(c.Context, c.deadline, ErrTimeout)
		c.armed.Store(&armedContext{ctx, cancel})
	}
	return c.armed.Load()
}

// end gives back what was armed, and ends whoever still waits. Nobody arms it
// afterwards: it has ended for good.
func (c *runContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if armed := c.armed.Load(); armed != nil {
		armed.cancel()
		return
	}
	c.armed.Store(returned)
}

// returned is what a context is armed with after its run.
var returned = newReturned() //nolint:gochecknoglobals // it has ended, and does not change

func newReturned() *armedContext {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &armedContext{ctx, cancel}
}
