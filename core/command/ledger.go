package command

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// ledger is where a command's runs and answers are entered as they end: what
// [Control.Recent] and [Control.Durations] are read from. An entry is only noted
// in a journal, which costs some 40 ns and half a line of cache, because the numbers
// themselves are seldom in the cache of a processor that does other things; many at once are
// then posted to where they belong, when the journal is full or somebody reads.
// Nobody holds the lock for longer than the few microseconds in which the journal
// is posted, or one span added up.
type ledger struct {
	since time.Time // time counts from here, so that no change of the clock disturbs it

	mu      sync.Mutex
	noted   int
	journal [64]entry

	rolling   rolling
	latencies latencies
	durations durations

	lately atomic.Pointer[observed]
	asking sync.Mutex // one looks for a newer one
}

// entry is one thing that has ended.
type entry struct {
	at         time.Duration // since the ledger's beginning
	took       uint32        // of a run, in microseconds
	answered   uint32        // of its answer
	inProgress uint32        // runs, itself among them
	keys       uint16        // of a batch
	of         entryKind
	which      uint8 // outcome or rung
}

type entryKind uint8

const (
	aRun     entryKind = iota // that was made
	aRefusal                  // of a run
	anAnswer                  // where it stands
	aStandIn                  // how long the answer took whose run failed
)

func (l *ledger) moment(at time.Time) time.Duration { return max(at.Sub(l.since), 0) }

func (l *ledger) enter(at time.Time, e entry) {
	e.at = l.moment(at)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journal[l.noted] = e
	l.noted++
	if l.noted == len(l.journal) {
		l.post()
	}
}

// post takes the entries to where they belong.
func (l *ledger) post() {
	for i := range l.journal[:l.noted] {
		e := &l.journal[i]
		if t := l.rolling.at(e.at); t != nil {
			t.take(e)
		}
		if e.of == aRun || e.of == aStandIn {
			l.time(e)
		}
	}
	l.noted = 0
}

// time takes down how long it took. What was canceled has no latency: it would
// be its client's. A run that succeeded is the answer, too.
func (l *ledger) time(e *entry) {
	outcome := report.Outcome(e.which)
	switch {
	case e.of == aStandIn:
		l.latencies.record(e.at, answerOnly, e.answered)
		return
	case outcome == report.Canceled:
		return
	case outcome == report.Success && e.answered == e.took:
		l.latencies.record(e.at, runAndAnswer, e.took)
	default:
		l.latencies.record(e.at, runOnly, e.took)
		if outcome == report.Success {
			l.latencies.record(e.at, answerOnly, e.answered)
		}
	}
	l.durations.add(micros(int64(e.took)))
}

// inMicros is a time as entries have it; what is longer than can be told apart is so long.
func inMicros(d time.Duration) uint32 {
	return uint32(min(max(d, 0), longest).Microseconds()) //nolint:gosec // ten minutes of them fit
}

// latency adds up the window, which two kinds belong to, at the percentiles, from
// 0 to 100 and ascending.
func (l *ledger) latency(now time.Time, of kind, percentiles []float64) Latency {
	sum := newSum()
	defer merged.Put(sum)
	l.settle()
	for i := range l.latencies {
		for _, k := range [...]kind{runAndAnswer, of} {
			l.mu.Lock()
			l.latencies[i].addTo(sum, l.moment(now), k)
			l.mu.Unlock()
		}
	}
	return latencyOf(sum, percentiles)
}

// settle posts what is noted.
func (l *ledger) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.post()
}

func (l *ledger) recent(now time.Time) Recent {
	var all Recent
	l.mu.Lock()
	defer l.mu.Unlock()
	l.post()
	l.rolling.addTo(&all, l.moment(now))
	return all
}

func (l *ledger) read() Durations {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.post()
	return l.durations.read()
}

// observed is a quantile as it was found.
type observed struct {
	quantile float64
	until    time.Time // when to look again
	value    time.Duration
	quickest time.Duration // what one run in a hundred was quicker than
	enough   bool
}

const (
	observedFor = time.Second
	enough      = 100 // runs, below which a quantile says little
)

// quantile returns the q-quantile of the window's runs, q from 0 to 1, as it was
// found at most a second ago: then it costs a look at the clock and an atomic
// load. It reports false of fewer than 100 runs. Whoever finds it too old looks
// again, and the others take the old one meanwhile; so it is for one q, or few
// askers.
func (l *ledger) quantile(q float64, now time.Time) (time.Duration, bool) {
	last := l.lately.Load()
	if last == nil || last.quantile != q || !now.Before(last.until) {
		last = l.observe(q, now, last)
	}
	return last.value, last.enough
}

func (l *ledger) observe(q float64, now time.Time, last *observed) *observed {
	if !l.asking.TryLock() {
		if last == nil || last.quantile != q {
			return &observed{}
		}
		return last
	}
	defer l.asking.Unlock()
	found := l.latency(now, runOnly, []float64{100 * q, 1})
	last = &observed{
		quantile: q, until: now.Add(observedFor), value: found.At[0], quickest: found.At[1], enough: found.Count >= enough,
	}
	l.lately.Store(last)
	return last
}

// quickest returns what of a hundred runs of late only one was quicker than, on the
// terms of quantile.
func (l *ledger) quickest(now time.Time) (time.Duration, bool) {
	last := l.lately.Load()
	if last == nil || !now.Before(last.until) {
		last = l.observe(hedgeAt, now, last)
	}
	return last.quickest, last.enough
}
