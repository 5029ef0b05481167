package shadow

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Stats is what came of all jobs, to be told as JSON. Its texts are of pages: they
// may tell of a user, and are for those who may read the pages' backends.
type Stats struct {
	InProgress int       `json:"in_progress"`
	Waiting    int       `json:"waiting"`
	Rollouts   []Rollout `json:"rollouts"` // by class, name and candidate; at most 100, without those that had no job for longest
}

// Rollout is what came of the jobs of one candidate of a rollout.
type Rollout struct {
	Class     string `json:"class"`
	Name      string `json:"name"`
	Candidate string `json:"candidate"`

	Counts
	Runaways uint64    `json:"runaways"` // jobs that did not end, which are counted nowhere else, or left goroutines behind
	Stopped  bool      `json:"stopped"`  // there were too many of those: no job is run any more
	Places   []Place   `json:"places"`   // where pages differed, the most frequent first; at most 200, and "other"
	Examples []Example `json:"examples"` // the last 20 differences and panics, the latest first; at most 4 of one request
}

// Counts are numbers of jobs. Each is counted once, but a failed one is a different
// one, too.
type Counts struct {
	Compared  uint64 `json:"compared"`  // equal or different
	Equal     uint64 `json:"equal"`     // of them
	Different uint64 `json:"different"` // of them
	Failed    uint64 `json:"failed"`    // of those that are different: control had a page, and the candidate an error
	Panicked  uint64 `json:"panicked"`  // not compared: the candidate panicked
	Hindered  uint64 `json:"hindered"`  // not compared: the two may have seen different backends (see AnswerOf)
	Dropped   uint64 `json:"dropped"`   // not run, or not to their end: there was no room, or the runner was closed
	Refused   uint64 `json:"refused"`   // not run: the candidate is stopped
}

// Place is how often pages differed at one place.
type Place struct {
	Path  string `json:"path"` // as [Difference] has it, or "other"
	Kind  Kind   `json:"kind,omitempty"`
	Count uint64 `json:"count"`
}

// Example is one difference, and the request whose pages had it.
type Example struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	Page      string    `json:"page"`
	Query     string    `json:"query"` // at most 200 bytes of it
	Difference
}

// The bounds of what is kept.
const (
	maxTallies  = 100
	maxExamples = 20
	maxOfOne    = 4
	maxQuery    = 200
)

// Stats returns what came of all jobs so far.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{InProgress: r.inProgress, Waiting: len(r.queue), Rollouts: make([]Rollout, 0, len(r.tallies.all))}
	for of, t := range r.tallies.all {
		s.Rollouts = append(s.Rollouts, t.read(of, r.stopped(version{of.class, of.candidate})))
	}
	slices.SortFunc(s.Rollouts, func(a, b Rollout) int {
		return cmp.Or(strings.Compare(a.Class, b.Class), strings.Compare(a.Name, b.Name), strings.Compare(a.Candidate, b.Candidate))
	})
	return s
}

// Totals returns what came of all jobs so far by candidate, such as "phone/v2", of all
// its rollouts: counts that only grow.
func (r *Runner) Totals() map[string]Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	totals := make(map[string]Counts, len(r.tallies.totals))
	for candidate, c := range r.tallies.totals {
		totals[candidate] = *c
	}
	return totals
}

func (c Counts) plus(o Counts) Counts {
	return Counts{
		Compared: c.Compared + o.Compared, Equal: c.Equal + o.Equal, Different: c.Different + o.Different, Failed: c.Failed + o.Failed,
		Panicked: c.Panicked + o.Panicked, Hindered: c.Hindered + o.Hindered, Dropped: c.Dropped + o.Dropped, Refused: c.Refused + o.Refused,
	}
}

// tallies are what came of the jobs of each candidate. For one goroutine at a time.
type tallies struct {
	all    map[subject]*tally
	totals map[string]*Counts // by candidate, of those that are forgotten, too
	offers uint64
}

// subject is whom a tally is of.
type subject struct{ class, rollout, candidate string }

// of returns the tally of a job, which it begins if there is none, in the place of the
// one that had no job for longest if there are too many.
func (all *tallies) of(j *Job) *tally {
	all.offers++
	of := subject{j.Class, j.Rollout, j.Candidate}
	t := all.all[of]
	if t == nil {
		if all.all == nil {
			all.all, all.totals = make(map[subject]*tally), make(map[string]*Counts)
		}
		if len(all.all) >= maxTallies {
			all.forget()
		}
		if all.totals[j.Candidate] == nil {
			all.totals[j.Candidate] = &Counts{}
		}
		t = &tally{total: all.totals[j.Candidate], places: make(map[place]uint64)}
		all.all[of] = t
	}
	t.last = all.offers
	return t
}

// forget drops the tally that had no job for longest.
func (all *tallies) forget() {
	var oldest subject
	var last uint64
	for of, t := range all.all {
		if last == 0 || t.last < last {
			oldest, last = of, t.last
		}
	}
	delete(all.all, oldest)
}

// tally is what came of the jobs of one candidate.
type tally struct {
	last     uint64 // the number of the last offer
	counts   Counts
	total    *Counts // of its candidate
	runaways uint64  // a candidate's are counted of all its rollouts, too
	places   map[place]uint64
	examples []Example // the latest last
}

// count counts a job, or what more is to be said of one.
func (t *tally) count(c Counts) {
	t.counts, *t.total = t.counts.plus(c), t.total.plus(c)
}

// take takes down what came of a job. c is nil if nothing was compared.
func (t *tally) take(j *Job, a *Answer, c *comparison) {
	switch {
	case c != nil:
		t.compared(j, a, c)
	case a.Panicked != nil:
		t.count(Counts{Panicked: 1})
		t.exemplify(j, []Difference{panicOf(a.Panicked)})
	default:
		t.count(Counts{Hindered: 1})
	}
}

func (t *tally) compared(j *Job, a *Answer, c *comparison) {
	if c.count == 0 {
		t.count(Counts{Compared: 1, Equal: 1})
		return
	}
	t.count(Counts{Compared: 1, Different: 1})
	if a.Err != nil && j.Control.Err == nil {
		t.count(Counts{Failed: 1})
	}
	for where, n := range c.counts {
		addTo(t.places, where, n)
	}
	t.exemplify(j, c.told)
}

// panicOf tells of a panic as far as a line goes, which is without its stack.
func panicOf(err error) Difference {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return Difference{Path: "panic", At: "panic", Kind: Added, Candidate: cut(line)}
}

// exemplify keeps examples of what one job found, of each place one.
func (t *tally) exemplify(j *Job, told []Difference) {
	now, kept := time.Now().UTC(), make(map[string]bool, maxOfOne)
	for _, d := range told {
		if kept[d.Path] || len(kept) == maxOfOne {
			continue
		}
		kept[d.Path] = true
		query := j.Query
		if len(query) > maxQuery {
			query = query[:maxQuery]
		}
		t.examples = append(t.examples, Example{
			Time: now, RequestID: j.RequestID, Page: j.Page, Query: strings.ToValidUTF8(query, ""), Difference: d,
		})
	}
	if over := len(t.examples) - maxExamples; over > 0 {
		t.examples = slices.Delete(t.examples, 0, over)
	}
}

// read returns the tally as it is told.
func (t *tally) read(of subject, stopped bool) Rollout {
	told := Rollout{
		Class: of.class, Name: of.rollout, Candidate: of.candidate, Counts: t.counts, Runaways: t.runaways, Stopped: stopped,
		Places: make([]Place, 0, len(t.places)), Examples: slices.Clone(t.examples),
	}
	for where, n := range t.places {
		told.Places = append(told.Places, Place{Path: where.path, Kind: where.kind, Count: n})
	}
	slices.SortFunc(told.Places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
	slices.Reverse(told.Examples)
	return told
}
