package command

import (
	"context"
	"sync"
)

// background runs what belongs to no request: calls that several wait for, and
// those that renew what is remembered. It ends them when the command is closed.
type background struct {
	mu      sync.Mutex
	life    context.Context //nolint:containedctx // of all that it runs
	end     context.CancelFunc
	closed  bool
	last    func() // what is done once nothing more is begun; nil: nothing
	running sync.WaitGroup
}

func newBackground() *background {
	life, end := context.WithCancel(context.Background())
	return &background{life: life, end: end}
}

// run starts f on a goroutine of its own, unless the command is closed. f must
// return soon after its context ends, and must not panic.
func (b *background) run(f func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.running.Go(func() { f(b.life) })
	return true
}

func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	if b.last != nil {
		b.last()
	}
	b.running.Wait()
}
