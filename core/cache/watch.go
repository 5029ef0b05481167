package cache

import (
	"context"
	"math/rand/v2"
	"time"
)

// Between attempts to watch the store, and between comparisons of the clocks.
const (
	firstWait  = 50 * time.Millisecond
	longWait   = 2 * time.Second
	clockEvery = 30 * time.Second
)

// watch keeps the store watched until ctx ends.
func (s *Shared) watch(ctx context.Context) {
	wait, told := firstWait, false
	for ctx.Err() == nil {
		began := time.Now()
		err := s.watchOnce(ctx)
		s.watching.Store(false)
		if gone := s.connected.Swap(false); (gone || !told) && ctx.Err() == nil {
			s.log.Warn("the shared cache is gone; pages are made without it", "error", err)
		}
		told = true
		if time.Since(began) > longWait {
			wait = firstWait
		}
		pause(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, longWait)
	}
}

func (s *Shared) watchOnce(ctx context.Context) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return s.coordinator.Watch(ctx, func() {
		s.watching.Store(true)
		s.started.Store(true)
		s.alert()
	}, s.heard)
}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// alert wakes listen up, because invalidations may have been missed.
func (s *Shared) alert() {
	select {
	case s.alerts <- struct{}{}:
	default:
	}
}

// heard takes an invalidation from the store's client, which it must not block.
func (s *Shared) heard(i Invalidation) {
	if latest := s.now(); i.At.After(latest) { // rubbish, or the clocks were not compared yet
		i.At = latest
	}
	if i.Validate() != nil || !s.note(i) {
		return
	}
	select {
	case s.events <- i:
	default:
		s.alert()
	}
}

// note keeps an invalidation, and reports whether it says anything new.
func (s *Shared) note(i Invalidation) bool {
	if !s.recent.note(subject{i.Command, i.Key, i.Tag}, i.At) {
		return false
	}
	s.invalidations.Add(1)
	return true
}

// listen tells the subscribers what was heard, one after the other.
func (s *Shared) listen(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case i := <-s.events:
			s.tell(i)
		case <-s.alerts:
			s.catchUp(ctx)
		case <-tick.C:
			s.readClock(ctx)
		}
	}
}

// catchUp is for when invalidations may have been missed: all that was asked for
// until now is in doubt.
func (s *Shared) catchUp(ctx context.Context) {
	started := s.started.Swap(false)
	if started && !s.readClock(ctx) {
		s.started.Store(true)
		pause(ctx, firstWait)
		s.alert()
		return
	}
	all := Invalidation{All: true, At: s.now()}
	s.recent.noteAll(all.At)
	s.missed.Add(1)
	s.tell(all)
	if started && !s.connected.Swap(true) {
		s.log.Info("the shared cache is there")
	}
	if !s.watching.Load() { // lost again while this went on
		s.connected.Store(false)
	}
}

// tell calls the subscribers.
func (s *Shared) tell(i Invalidation) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, subscriber := range s.subscribers {
		s.tellOne(subscriber, i)
	}
}

func (s *Shared) tellOne(subscriber func(Invalidation), i Invalidation) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a panic while an answer was forgotten", "panic", v)
		}
	}()
	subscriber(i)
}

// Subscribe has f called with each invalidation, of this process or another, and
// with one of all whenever some may have been missed: after every connection to
// the store, the first one included. f is called by one goroutine at a time but
// for invalidations of this process, which call it themselves; it must not call s.
func (s *Shared) Subscribe(f func(Invalidation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, f)
}

// Invalidate makes answers unusable that were asked for until now: in the store,
// at once and for all replicas, then here, then, within the time of a message, in
// the others. It returns when all but the last is done, with the number of entries
// that the store had.
//
// Errors carry a code: [fault.Invalid] for what means nothing or the store cannot
// do ([ErrNoTags]), when nothing is done; [fault.Unavailable] if the store could not
// be told, when it is done in this process only. A store that lets replicas not
// agree drops the entry of this build's type; other replicas keep theirs.
func (s *Shared) Invalidate(ctx context.Context, i Invalidation) (dropped int, err error) {
	if err := i.Validate(); err != nil {
		return 0, err
	}
	if s.coordinator == nil && i.Tag != "" {
		return 0, ErrNoTags
	}
	done, err := within(ctx, s, s.changes, invalidateTimeout, func(ctx context.Context) (done, error) { return s.invalidate(ctx, i) })
	if i.At = done.at; err != nil {
		i.At = s.now()
		s.faults.Add(1)
	}
	if s.note(i) {
		s.tell(i)
	}
	if err != nil {
		return 0, unheard(err)
	}
	return done.dropped, nil
}

// Agrees reports whether the store lets replicas agree: whether it has tags, and an
// invalidation reaches what other replicas remember.
func (s *Shared) Agrees() bool { return s.coordinator != nil }

// done is what an invalidation came to in the store.
type done struct {
	at      time.Time
	dropped int
}

func (s *Shared) invalidate(ctx context.Context, i Invalidation) (d done, err error) {
	s.mu.RLock()
	shape := s.shapes[i.Command]
	s.mu.RUnlock()
	if s.coordinator != nil {
		d.at, d.dropped, err = s.coordinator.Invalidate(ctx, i, shape, recentFor)
		return d, err
	}
	d.at = s.now()
	if shape == "" {
		return d, nil
	}
	key := Key{i.Command, shape, i.Key}
	if there, err := s.store.Get(ctx, []Key{key}, 1); err == nil && len(there) == 1 && there[0] != "" {
		d.dropped = 1
	}
	_, err = s.store.Write(ctx, []Write{{Key: key}})
	return d, err
}

// Outdated reports whether an answer to a query that was asked for at a moment,
// of this process's clock, may have been invalidated since. For a first level:
// put the answer in, then ask, then drop it if it is outdated; what is
// invalidated later is told to the subscribers.
func (s *Shared) Outdated(asked time.Time, command, key string, tags []string) bool {
	return s.recent.since(s.earliest(asked), command, key, tags)
}
