package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the bounds of a [Shared]. A zero takes the default.
type Options struct {
	Timeout       time.Duration // of a look-up or a claim; 1ms to 1s; default 10ms
	MaxLookups    int           // in flight at once; 1 to 10,000; default 64
	MaxEntryBytes int           // bytes of an entry, read or written; 1 KiB to 64 MiB; default 256 KiB
	MaxQueue      int           // changes waiting to be sent; 1 to 1,000,000; default 1024
}

// The defaults of Options, and what is not for an operator to choose.
const (
	DefaultTimeout    = 10 * time.Millisecond
	DefaultMaxLookups = 64
	DefaultMaxEntry   = 256 << 10
	DefaultMaxQueue   = 1024

	maxChanges        = 16       // invalidations at once
	queuedBytes       = 16 << 20 // of answers waiting to be sent
	writeTimeout      = 500 * time.Millisecond
	invalidateTimeout = 2 * time.Second
	maxTTL            = 30 * 24 * time.Hour
)

// Shared is this process's way to a store that replicas share: the second level
// of the cache. Nothing that happens to the store costs a caller more than the
// time limit of a look-up, and after a few faults in a row not even that: it is
// then left alone, but for one look-up a second. What is written goes through a
// bounded queue, and nobody waits for it.
//
// Replicas' clocks differ, so the store's clock counts: every moment that is
// written is by its time, which each replica compares with its own when it
// connects and every thirty seconds, to within half a round trip. In doubt an
// answer is taken for older than an invalidation, which costs a call at most. A
// store without a clock (memcached) leaves it to the machines' own.
//
// Safe for concurrent use. Close it in the end: it has two goroutines, one more
// for each look-up in flight, and what its store has.
type Shared struct {
	store       Store
	coordinator Coordinator // nil: the store lets nobody agree
	options     Options
	log         *slog.Logger
	counters

	tickets   chan struct{} // of look-ups and claims
	changes   chan struct{} // of invalidations
	reads     breaker
	writes    breaker
	connected atomic.Bool
	clock     atomic.Pointer[reading]
	recent    recent

	queue   chan queued
	waiting atomic.Int64 // changes that are queued or being sent
	bytes   atomic.Int64 // of their answers
	events  chan Invalidation
	alerts  chan struct{}

	started  atomic.Bool // the watch, since listen looked last
	watching atomic.Bool

	mu          sync.RWMutex
	subscribers []func(Invalidation)
	shapes      map[string]string // of each command

	life    context.Context //nolint:containedctx // of its goroutines
	end     context.CancelFunc
	ended   atomic.Bool
	running sync.WaitGroup
}

// NewShared returns the way to a store, which it closes in the end. It connects
// to nothing by itself (see Connect), and fails only for options out of their range.
// log is told when the store is lost and when it is back.
func NewShared(store Store, o Options, log *slog.Logger) (*Shared, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	s := &Shared{
		store: store, options: o, log: log, end: end,
		tickets: make(chan struct{}, o.MaxLookups), changes: make(chan struct{}, maxChanges), queue: make(chan queued, o.MaxQueue),
		events: make(chan Invalidation, 1024), alerts: make(chan struct{}, 1), shapes: make(map[string]string),
	}
	s.life = ctx
	s.clock.Store(&reading{})
	if s.coordinator, _ = store.(Coordinator); s.coordinator == nil {
		s.connected.Store(true)
	}
	s.running.Go(func() { s.write(ctx) })
	return s, nil
}

// Connect begins to watch a store that lets replicas agree: until it has told its
// time, nothing is looked up in it and nothing written. Call it once, before Close.
func (s *Shared) Connect() {
	if s.coordinator != nil {
		s.running.Go(func() { s.watch(s.life) })
		s.running.Go(func() { s.listen(s.life) })
	}
}

func (o *Options) complete() error {
	for _, field := range []struct {
		name                  string
		value                 *int
		standard, least, most int
	}{
		{"MaxLookups", &o.MaxLookups, DefaultMaxLookups, 1, 10_000},
		{"MaxEntryBytes", &o.MaxEntryBytes, DefaultMaxEntry, 1 << 10, 64 << 20},
		{"MaxQueue", &o.MaxQueue, DefaultMaxQueue, 1, 1_000_000},
	} {
		if *field.value == 0 {
			*field.value = field.standard
		}
		if *field.value < field.least || *field.value > field.most {
			return fmt.Errorf("cache: %s is out of range; allowed: %d to %d", field.name, field.least, field.most)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Timeout < time.Millisecond || o.Timeout > time.Second {
		return errors.New("cache: Timeout is out of range; allowed: 1ms to 1s")
	}
	return nil
}

// Close sends what waits to be sent, for half a second at most, closes the store
// and returns when every goroutine has ended.
func (s *Shared) Close() {
	if s.ended.Swap(true) {
		return
	}
	s.end()
	s.running.Wait()
	s.store.Close()
	patience := time.After(invalidateTimeout) // with a store that breaks its word
	for _, tickets := range []chan struct{}{s.tickets, s.changes} {
		for range cap(tickets) { // calls that nobody waits for any more
			select {
			case tickets <- struct{}{}:
			case <-patience:
				return
			}
		}
	}
}

var (
	errSkipped = errors.New("the shared cache is not asked now")
	errPanic   = errors.New("the shared cache's client panicked")
)

// lookup runs a call to the store under the limits of look-ups.
func lookup[T any](ctx context.Context, s *Shared, call func(context.Context) (T, error)) (T, error) {
	var none T
	if !s.connected.Load() && s.clock.Load().at.IsZero() {
		s.skipped.Add(1)
		return none, errSkipped
	}
	ok, probe := s.reads.allow(time.Now())
	if !ok {
		s.skipped.Add(1)
		return none, errSkipped
	}
	got, err := within(ctx, s, s.tickets, s.options.Timeout, call)
	switch {
	case err == nil:
		s.reads.settle(time.Now(), probe, true)
	case errors.Is(err, errSkipped):
		s.skipped.Add(1)
	case ctx.Err() == nil || probe: // else the caller has left: it says nothing of the store
		s.faults.Add(1)
		s.reads.settle(time.Now(), probe, false)
	}
	return got, err
}

// within runs a call to the store on a goroutine of its own, so that it takes no
// longer than limit whatever the client library does: its clients have queues that
// wait without a context. The ticket is held until the call has really ended.
// The goroutine costs about a microsecond.
func within[T any](
	ctx context.Context, s *Shared, tickets chan struct{}, limit time.Duration, call func(context.Context) (T, error),
) (T, error) {
	type result struct {
		got T
		err error
	}
	if !s.enter(tickets) {
		var none T
		return none, errSkipped
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		r := result{err: errPanic}
		defer func() {
			_ = recover() // a defect of a client costs a look-up; it is counted as a fault
			<-tickets
			done <- r
		}()
		r.got, r.err = call(ctx)
	}()
	select {
	case r := <-done:
		return r.got, r.err
	case <-ctx.Done():
		return result{}.got, ctx.Err()
	}
}

// enter takes a ticket, if there is one.
func (s *Shared) enter(tickets chan struct{}) bool {
	if s.ended.Load() {
		return false
	}
	select {
	case tickets <- struct{}{}:
		return true
	default:
		return false
	}
}
