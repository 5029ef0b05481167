package cache

import (
	"context"
	"time"
)

// queued is a change that waits to be sent. What it holds is the answer itself,
// not its bytes: it is encoded on the writer's goroutine, not the request's.
type queued struct {
	key    Key
	size   int64
	asked  time.Time // when the answer was
	stale  time.Time // zero: the entry is dropped
	tags   []string
	encode func(shift time.Duration) ([]byte, error) // nil: the entry is dropped
}

const maxBatch = 128

// send queues a change, or drops it where the queue is full.
func (s *Shared) send(q queued) {
	s.waiting.Add(1)
	if s.bytes.Add(q.size) <= queuedBytes && !s.ended.Load() {
		select {
		case s.queue <- q:
			return
		default:
		}
	}
	s.settled(q)
	s.dropped.Add(1)
}

// settled gives back what a change has taken of the bounds.
func (s *Shared) settled(q queued) {
	s.bytes.Add(-q.size)
	s.waiting.Add(-1)
}

// write sends what is queued until ctx ends, and then what is left, for a while.
func (s *Shared) write(ctx context.Context) {
	for {
		select {
		case q := <-s.queue:
			s.writeBatch(context.WithoutCancel(ctx), s.batch(q))
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx))
			return
		}
	}
}

func (s *Shared) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case q := <-s.queue:
			s.writeBatch(ctx, s.batch(q))
		default:
			return
		}
	}
}

// batch takes what waits behind the first, without waiting for more.
func (s *Shared) batch(first queued) []queued {
	list := []queued{first}
	for len(list) < maxBatch {
		select {
		case q := <-s.queue:
			list = append(list, q)
		default:
			return list
		}
	}
	return list
}

func (s *Shared) writeBatch(ctx context.Context, list []queued) {
	defer func() {
		for _, q := range list {
			s.settled(q)
		}
	}()
	ok, probe := s.connected.Load(), false
	if ok {
		ok, probe = s.writes.allow(time.Now())
	}
	if !ok {
		s.dropped.Add(uint64(len(list)))
		return
	}
	writes := s.encodeAll(list)
	if len(writes) == 0 && !probe {
		return
	}
	done, err := s.writeAll(ctx, writes)
	s.written.Add(uint64(done))                   //nolint:gosec // not negative
	s.writeFaults.Add(uint64(len(writes) - done)) //nolint:gosec // done is at most all
	s.writes.settle(time.Now(), probe, err == nil || done > 0)
}

func (s *Shared) writeAll(ctx context.Context, writes []Write) (done int, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	defer func() {
		if recover() != nil {
			done, err = 0, errPanic
		}
	}()
	return s.store.Write(ctx, writes)
}

func (s *Shared) encodeAll(list []queued) []Write {
	writes := make([]Write, 0, len(list))
	for _, q := range list {
		switch w, verdict := s.encodeOne(q); verdict {
		case send:
			writes = append(writes, w)
		case outdated:
			s.outdated.Add(1)
		case drop:
			s.dropped.Add(1)
		}
	}
	return writes
}

type verdict uint8

const (
	send verdict = iota
	outdated
	drop
)

// encodeOne makes a change ready to be sent. A type may write its own JSON, and
// panic over it: that costs this one entry, not the process.
func (s *Shared) encodeOne(q queued) (w Write, v verdict) {
	defer func() {
		if recover() != nil {
			v = drop
		}
	}()
	w = Write{Key: q.key, Tags: q.tags, Stored: s.earliest(q.asked)}
	if q.encode == nil {
		return w, send
	}
	w.TTL = min(time.Until(q.stale), maxTTL)
	if w.TTL < time.Millisecond || s.Outdated(q.asked, q.key.Command, q.key.Text, q.tags) {
		return w, outdated
	}
	var err error
	if w.Value, err = q.encode(s.clock.Load().ahead); err != nil || len(w.Value) > s.options.MaxEntryBytes {
		return w, drop
	}
	return w, send
}
