package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Options say what a [Follower] follows.
type Options struct {
	Service  string // its name in the log and in Status
	Resolver Resolver
	Log      *slog.Logger // nil: nothing is logged
	// Changed is called with each list that differs from the one before it, from the
	// goroutine of Run, which it should not keep: nothing is heard meanwhile. Nobody may
	// change the list. nil: nobody is told.
	Changed func([]Instance)
}

// Follower keeps the last known good instances of one service. All but Run may be
// called from any goroutine.
type Follower struct {
	options Options
	first   chan struct{} // closed once something was told
	begin   sync.Once

	mu     sync.Mutex
	status Status
	missed bool   // Changed panicked: whatever is told next is news
	said   string // what was left out, as the log has it
}

// Status is what a follower knows.
type Status struct {
	Service   string     `json:"service"`
	Resolver  string     `json:"resolver"` // which kind, and what it asks
	Instances []Instance `json:"instances"`
	Since     time.Time  `json:"since,omitzero"`  // when they became these; zero: there was no list yet
	Stale     bool       `json:"stale"`           // they are the last that were known: nothing can be told now
	Error     string     `json:"error,omitempty"` // why that is so, or what was left out of them
	Changes   int        `json:"changes"`         // how many lists there were, each differing from the one before
}

// Follow returns a follower that knows nothing before Run.
func Follow(o Options) *Follower {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func([]Instance) {}
	}
	f := &Follower{options: o, first: make(chan struct{})}
	f.status = Status{Service: o.Service, Resolver: named(o.Resolver), Stale: true}
	return f
}

func named(r Resolver) string {
	if s, ok := r.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", r)
}

// Run follows the resolver until ctx ends, on the goroutine that calls it, once. A
// panic, of the resolver or of Changed, is told as a fault, and all begins again.
func (f *Follower) Run(ctx context.Context) {
	var b backoff
	for ctx.Err() == nil {
		f.watch(ctx)
		b.pause(ctx)
	}
}

func (f *Follower) watch(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			f.mu.Lock()
			f.missed = true
			f.mu.Unlock()
			f.failed(fault.New(fault.Internal, fmt.Sprintf("the resolver panicked: %.200v", p)))
		}
	}()
	f.options.Resolver.Watch(ctx, f.told, f.failed)
}

// Await waits until the first list or the first failure was told, or ctx ends.
func (f *Follower) Await(ctx context.Context) {
	select {
	case <-f.first:
	case <-ctx.Done():
	}
}

// Status returns what is known now. It is the caller's own.
func (f *Follower) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	status := f.status
	status.Instances = append([]Instance{}, status.Instances...)
	return status
}

// told takes a list, unless it is empty: that empties no pool.
func (f *Follower) told(list []Instance) {
	if len(list) == 0 {
		f.failed(empty(f.status.Resolver))
		return
	}
	defer f.started()
	news, healed := f.take(list)
	if healed {
		f.options.Log.Info("discovery works again", "service", f.options.Service, "instances", len(list))
	}
	if news {
		f.options.Log.Info("instances", "service", f.options.Service, "instances", addresses(list))
		f.options.Changed(list)
	}
}

// take reports whether a list is another one, and whether it ends an outage.
func (f *Follower) take(list []Instance) (news, healed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.status
	news, healed = f.missed || !slices.Equal(list, s.Instances), s.Stale && s.Error != ""
	if news {
		f.missed = false
		s.Instances, s.Since = slices.Clone(list), time.Now()
		s.Changes++
	}
	s.Stale, s.Error = false, ""
	return news, healed
}

const (
	maxLogged = 20  // instances in a line of the log
	maxTold   = 500 // characters of an error, which may repeat what others said
)

func addresses(list []Instance) []string {
	all := make([]string, 0, maxLogged+1)
	for n, i := range list {
		if n == maxLogged {
			return append(all, fmt.Sprintf("and %d more", len(list)-n))
		}
		all = append(all, i.Address+i.Path)
	}
	return all
}

// failed takes why there is no list, or not all of it.
func (f *Follower) failed(err error) {
	defer f.started()
	var part flawed
	stale := !errors.As(err, &part)
	text := fmt.Sprintf("%.*s", maxTold, err.Error())
	if f.blame(text, stale) {
		f.options.Log.Warn("discovery", "service", f.options.Service, "resolver", f.status.Resolver, "stale", stale, "error", text)
	}
}

// blame reports whether a fault is news. What is left out of each list is told with
// each, and is news once.
func (f *Follower) blame(text string, stale bool) (news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.status
	if stale {
		news, f.said = !s.Stale || text != s.Error, ""
		s.Stale = true
	} else {
		news, f.said = text != f.said, text
	}
	s.Error = text
	return news
}

func (f *Follower) started() { f.begin.Do(func() { close(f.first) }) }
