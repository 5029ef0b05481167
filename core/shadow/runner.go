package shadow

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

// Options bound what a [Runner] takes. A zero field means its default; one below 0
// means 0.
type Options struct {
	Concurrent int           // jobs in progress; 4
	Queue      int           // jobs that wait for one of them to end; 8
	Grace      time.Duration // how long after its budget a job has to end before it is a runaway; 1 s
	Runaways   int           // of a candidate, after which no job of it is run any more; 3
}

// The defaults of a runner.
const (
	defaultConcurrent = 4
	defaultQueue      = 8
	defaultGrace      = time.Second
	defaultRunaways   = 3
)

// orDefault returns what an option means.
func orDefault[T int | time.Duration](given, usual T) T { return max(cmp.Or(given, usual), 0) }

// Runner runs jobs beside the response path and keeps what came of them. It has no
// goroutine while it has no job. Safe for concurrent use.
//
// What it keeps alive is bounded: of each job in progress or waiting what its Run
// holds, such as the scope that control's answers are in, and of each candidate the
// jobs that do not end: at most Options.Runaways, and those in progress beside the last.
type Runner struct {
	options Options
	life    context.Context //nolint:containedctx // of all jobs
	end     context.CancelFunc

	mu         sync.Mutex
	tallies    tallies
	runaways   map[version]int
	inProgress int // jobs that have a place
	alive      int // goroutines: as many, and those of runaways
	queue      []*task
	closed     bool
	ended      chan struct{} // closed when the runner is, and nothing of it runs
}

// version is a candidate, in whichever rollout it is.
type version struct{ class, candidate string }

func (j *Job) version() version { return version{j.Class, j.Candidate} }

// task is a job and what it counts in.
type task struct {
	job     Job
	tally   *tally
	over    bool // it has ended
	givenUp bool // it is a runaway: its place is another's
}

// NewRunner returns a runner, which the caller closes.
func NewRunner(o Options) *Runner {
	o.Concurrent = max(orDefault(o.Concurrent, defaultConcurrent), 1)
	o.Queue = orDefault(o.Queue, defaultQueue)
	o.Grace = orDefault(o.Grace, defaultGrace)
	o.Runaways = max(orDefault(o.Runaways, defaultRunaways), 1)
	life, end := context.WithCancel(context.Background())
	return &Runner{options: o, life: life, end: end, ended: make(chan struct{}), runaways: make(map[version]int)}
}

// Offer has a job run as soon as there is room for it, and reports whether there is:
// now, or among those that wait. It does not block, and takes some 1 µs.
func (r *Runner) Offer(j Job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &task{job: j, tally: r.tallies.of(&j)}
	switch {
	case j.Control.Hindered:
		t.tally.count(Counts{Hindered: 1})
	case r.stopped(j.version()):
		t.tally.count(Counts{Refused: 1})
	case r.closed, r.inProgress >= r.options.Concurrent && len(r.queue) >= r.options.Queue:
		t.tally.count(Counts{Dropped: 1})
	case r.inProgress >= r.options.Concurrent:
		r.queue = append(r.queue, t)
		return true
	default:
		r.begin(t)
		return true
	}
	return false
}

// stopped reports whether a candidate has had its runaways. r.mu is held.
func (r *Runner) stopped(v version) bool { return r.runaways[v] >= r.options.Runaways }

// ranAway counts a runaway. r.mu is held.
func (r *Runner) ranAway(t *task) {
	t.tally.runaways++
	r.runaways[t.job.version()]++
}

// begin gives a task a place and a goroutine. r.mu is held.
func (r *Runner) begin(t *task) {
	r.inProgress++
	r.alive++
	go r.work(t)
}

// work runs a task, and then those that wait, for as long as it has a place.
func (r *Runner) work(t *task) {
	for t != nil {
		r.run(t)
		t = r.next(t)
	}
}

// run has the candidate answer, and takes down what came of it.
func (r *Runner) run(t *task) {
	watch := time.AfterFunc(t.job.budget()+r.options.Grace, func() { r.giveUp(t) })
	answer := t.job.answer(r.life)
	watch.Stop()
	if !r.finish(t, &answer) {
		return
	}
	var c *comparison
	if t.job.comparable(&answer) {
		c = t.job.compare(&answer)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t.tally.take(&t.job, &answer, c)
}

// finish marks the end of a task, and reports whether its answer counts: not that of
// a runaway, which has been counted, nor one that was cut short because the runner
// was closed.
func (r *Runner) finish(t *task, a *Answer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.over = true
	if a.Runaways > 0 && !t.givenUp {
		r.ranAway(t)
	}
	if r.closed && !t.givenUp {
		t.tally.count(Counts{Dropped: 1})
	}
	return !t.givenUp && !r.closed
}

// giveUp gives the place of a task that does not end to another.
func (r *Runner) giveUp(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.over {
		return
	}
	t.givenUp = true
	r.ranAway(t)
	r.inProgress--
	if waiting := r.shift(); waiting != nil {
		r.begin(waiting)
	}
}

// next returns the task that takes over the place of one that has ended, nil if there
// is none, or no place.
func (r *Runner) next(ended *task) *task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ended.givenUp {
		if waiting := r.shift(); waiting != nil {
			return waiting
		}
		r.inProgress--
	}
	r.alive--
	if r.closed && r.alive == 0 {
		close(r.ended)
	}
	return nil
}

// shift returns the task that has waited longest, nil if none waits. Those of a
// candidate that is run no more are refused. r.mu is held.
func (r *Runner) shift() *task {
	for len(r.queue) > 0 {
		t := r.queue[0]
		r.queue[0] = nil
		r.queue = r.queue[1:]
		if !r.stopped(t.job.version()) {
			return t
		}
		t.tally.count(Counts{Refused: 1})
	}
	r.queue = nil
	return nil
}

// Close ends all jobs and waits for them until ctx ends: it returns an error if some
// run all the same. What is offered from now on is dropped.
func (r *Runner) Close(ctx context.Context) error {
	if r.close() == 0 {
		return nil
	}
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alive == 0 {
		return nil
	}
	return fmt.Errorf("shadow: %d candidates run on: %w", r.alive, context.Cause(ctx))
}

// close returns how many goroutines there are to wait for.
func (r *Runner) close() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.end()
	for _, t := range r.queue {
		t.tally.count(Counts{Dropped: 1})
	}
	r.queue = nil
	return r.alive
}
