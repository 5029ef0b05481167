package exposure

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"
)

// Recorder tells exposures. It is safe for concurrent use; a nil one tells nobody.
type Recorder struct {
	window int64 // nanoseconds
	told   *told
	queue  chan queued
	units  *pseudonyms // nil: they are told as they are
	sinks  []*outlet

	ending chan context.Context // one at most
	ended  atomic.Bool
	done   chan struct{}
	untold error // what the end did not tell, written before done

	seen, repeated, dropped atomic.Uint64
}

// sink is where exposures are told. It is used by one goroutine.
type sink interface {
	// tell takes an event, or says why not. It may take a while, but not for ever.
	tell(e *Event) error
	// close brings to its end what was told, until ctx ends at the latest, and frees
	// all that the sink has.
	close(ctx context.Context) error
}

// outlet counts what a sink took.
type outlet struct {
	to           sink
	took, failed atomic.Uint64
}

// queued is an exposure that waits, and where it is remembered.
type queued struct {
	Event
	mark mark
}

const (
	maxQueued    = 8192            // exposures, of some 200 bytes each
	longestClose = 5 * time.Second // of the goroutine's last work, whatever the context says
)

// New returns a recorder that tells by a log and as the options say, nil if they name
// nobody to tell. Its errors are those of [Options.Validate], and that a file cannot
// be used. It does not wait for NATS, which may be away. It must be closed.
func New(o Options, log *slog.Logger) (*Recorder, error) {
	if !o.Log && len(o.NATS) == 0 {
		return nil, nil //nolint:nilnil // to tell nobody is a choice
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	r := &Recorder{
		window: int64(o.Window), told: &told{seed: maphash.MakeSeed()}, queue: make(chan queued, maxQueued),
		ending: make(chan context.Context, 1), done: make(chan struct{}),
	}
	if err := r.open(o, log); err != nil {
		return nil, err
	}
	go r.run()
	return r, nil
}

// open makes the sinks. NATS is the last: nothing can fail behind it.
func (r *Recorder) open(o Options, log *slog.Logger) error {
	if o.HashKey != "" {
		key, err := readKey(o.HashKey)
		if err != nil {
			return err
		}
		r.units = newPseudonyms(key)
	}
	if o.Log {
		r.sinks = append(r.sinks, &outlet{to: logSink{log.Handler()}})
	}
	if len(o.NATS) == 0 {
		return nil
	}
	out := &outlet{}
	to, err := newNATSSink(o, log, &out.failed)
	if err != nil {
		return err
	}
	out.to = to
	r.sinks = append(r.sinks, out)
	return nil
}

// Seen tells that a unit saw a version, unless it told so in this window. It never
// waits.
func (r *Recorder) Seen(e Event) {
	if r == nil || !e.exposes() {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	m, first := r.told.first(e.identity(), e.At.UnixNano()/r.window)
	if !first {
		r.repeated.Add(1)
		return
	}
	if !r.ended.Load() {
		select {
		case r.queue <- queued{e, m}:
			r.seen.Add(1)
			return
		default:
		}
	}
	m.forget()
	r.dropped.Add(1)
}

// run tells what is queued, until the end.
func (r *Recorder) run() {
	defer close(r.done)
	for {
		select {
		case q := <-r.queue:
			r.tell(&q)
		case ctx := <-r.ending:
			r.flush(ctx)
			return
		}
	}
}

// tell tells all sinks. An exposure that none of them took is forgotten.
func (r *Recorder) tell(q *queued) {
	q.Unit = r.units.of(q.Unit)
	reached := false
	for _, s := range r.sinks {
		if err := s.tell(&q.Event); err == nil {
			reached = true
		}
	}
	if !reached {
		q.mark.forget()
	}
}

var errPanic = errors.New("a panic while an exposure was told")

// tell tells one sink. A handler of a log is foreign code, and may panic.
func (o *outlet) tell(e *Event) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
		if err != nil {
			o.failed.Add(1)
			return
		}
		o.took.Add(1)
	}()
	return o.to.tell(e)
}

// flush tells what is left, and ends the sinks.
func (r *Recorder) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestClose)
	defer cancel()
	r.untold = r.empty(ctx)
	for _, s := range r.sinks {
		r.untold = errors.Join(r.untold, s.to.close(ctx))
	}
}

// empty tells what is left in the queue while there is time, and counts the rest.
func (r *Recorder) empty(ctx context.Context) error {
	left := 0
	for {
		select {
		case q := <-r.queue:
			if ctx.Err() == nil {
				r.tell(&q)
				continue
			}
			left++
			r.dropped.Add(1)
		default:
			if left > 0 {
				return fmt.Errorf("%d exposures were not told", left)
			}
			return nil
		}
	}
}

// Close tells what is queued, until ctx ends and for 5 s at most, and ends what the
// recorder runs. Its error says what was not told; that ctx ended first, if something
// blocks, such as a handler of the log, with which the goroutine then ends. What is
// seen from now on is dropped. Only the first call does so; others wait for it.
func (r *Recorder) Close(ctx context.Context) error {
	if r == nil {
		return nil
	}
	if !r.ended.Swap(true) {
		r.ending <- ctx
	}
	select {
	case <-r.done:
		return r.untold
	case <-ctx.Done():
	}
	select { // it may have ended just in time
	case <-r.done:
		return r.untold
	default:
		return fmt.Errorf("exposures are still being told: %w", ctx.Err())
	}
}

// Stats are counts since the start.
type Stats struct {
	Told      uint64 // exposures that were new in their window, and queued
	Repeated  uint64 // requests whose exposure was told before
	Dropped   uint64 // for which the queue had no room, or which came after the end
	Logged    uint64
	Published uint64 // to the connection to NATS, or to what it keeps while NATS is away
	Failed    uint64 // that the log or NATS did not take; NATS may refuse what was published
	Queued    int    // that wait now
	Connected bool   // to NATS, now
}

// Stats returns the counts. Those of a nil recorder are 0.
func (r *Recorder) Stats() Stats {
	if r == nil {
		return Stats{}
	}
	s := Stats{Told: r.seen.Load(), Repeated: r.repeated.Load(), Dropped: r.dropped.Load(), Queued: len(r.queue)}
	for _, o := range r.sinks {
		s.Failed += o.failed.Load()
		switch to := o.to.(type) {
		case logSink:
			s.Logged = o.took.Load()
		case *natsSink:
			s.Published, s.Connected = o.took.Load(), to.there.Load()
		}
	}
	return s
}
