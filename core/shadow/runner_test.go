package shadow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/shadow"
)

var errOdd = errors.New("odd")

// page is an answer of JSON.
func page(body string) shadow.Answer {
	return shadow.Answer{Answer: adapter.Answer{ContentType: "application/json", Body: []byte(body)}}
}

// job is one whose control answered {"a":1}.
func job(run func(context.Context) shadow.Answer) shadow.Job {
	return shadow.Job{
		Class: "phone", Rollout: "reviews-first", Candidate: "phone/v2",
		Page: "productdetails", RequestID: "r-1", Query: "productid=p-1042",
		Control: page(`{"a":1}`), Budget: time.Minute, Run: run,
	}
}

func answers(a shadow.Answer) func(context.Context) shadow.Answer {
	return func(context.Context) shadow.Answer { return a }
}

// failed is an answer that is none.
func failed(err error) shadow.Answer { return shadow.Answer{Err: err} }

// newRunner returns a runner that the test's end closes.
func newRunner(t testing.TB, o shadow.Options) *shadow.Runner {
	t.Helper()
	r := shadow.NewRunner(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

// only returns what came of the jobs of the one rollout.
func only(t testing.TB, r *shadow.Runner) shadow.Rollout {
	t.Helper()
	s := r.Stats()
	if len(s.Rollouts) != 1 {
		t.Fatalf("%+v", s)
	}
	return s.Rollouts[0]
}

// quiet waits until nothing runs.
func quiet(t testing.TB, r *shadow.Runner) {
	t.Helper()
	eventually(t, "nothing runs", func() bool { return r.Stats().InProgress == 0 })
}

func TestWhatBecomesOfAJob(t *testing.T) {
	control := func(change func(*shadow.Job)) shadow.Job {
		j := job(answers(page(`{"a":1}`)))
		change(&j)
		return j
	}
	panicked := func(err error) shadow.Answer {
		a := page(`{}`)
		a.Panicked = err
		return a
	}
	html := func(body string) shadow.Answer {
		return shadow.Answer{Answer: adapter.Answer{ContentType: "text/html", Body: []byte(body)}}
	}
	reason := fault.Because(fault.ReasonPanic, errors.New("panic: nil map\ngoroutine 1 [running]"))
	type counts = shadow.Counts
	for _, tc := range []struct {
		name string
		job  shadow.Job
		want counts
		told string // "place kind control candidate"; "" for none
	}{
		{"the same", job(answers(page(`{"a":1.0}`))), counts{Compared: 1, Equal: 1}, ""},
		{"another", job(answers(page(`{"a":2}`))), counts{Compared: 1, Different: 1}, "/a changed 1 2"},
		{"another, where it does not matter", control(func(j *shadow.Job) {
			j.Run, j.Rules.Ignore = answers(page(`{"a":2}`)), []string{"/a"}
		}), counts{Compared: 1, Equal: 1}, ""},
		{"rubbish", job(answers(page(`<html>`))), counts{Compared: 1, Different: 1},
			` type {"a":1} not JSON: invalid character '<' looking for beginning of value`},
		{"another content type", job(answers(html(`{"a":1}`))), counts{Compared: 1, Different: 1},
			"content_type changed application/json text/html"},
		{"a parameter of it", control(func(j *shadow.Job) {
			j.Control.ContentType = "Application/JSON; charset=utf-8"
			a := page(` {"a":1}`)
			a.ContentType = j.Control.ContentType
			j.Run = answers(a)
		}), counts{Compared: 1, Equal: 1}, ""},
		{"a problem of JSON", control(func(j *shadow.Job) {
			a := page(` {"a":1}`)
			a.ContentType, j.Control.ContentType = "application/problem+json", "application/problem+json"
			j.Run = answers(a)
		}), counts{Compared: 1, Equal: 1}, ""},
		{"what is no JSON, the same", control(func(j *shadow.Job) { j.Control, j.Run = html("<a>"), answers(html("<a>")) }),
			counts{Compared: 1, Equal: 1}, ""},
		{"what is no JSON, another", control(func(j *shadow.Job) { j.Control, j.Run = html("<a>"), answers(html("<bb>")) }),
			counts{Compared: 1, Different: 1}, "body changed 3 bytes 4 bytes"},

		{"an error for a page", job(answers(failed(fault.New(fault.BadAnswer, "")))),
			counts{Compared: 1, Different: 1, Failed: 1}, "status changed 200 ok 502 bad_answer"},
		{"a page for an error", control(func(j *shadow.Job) { j.Control = failed(fault.New(fault.NotFound, "")) }),
			counts{Compared: 1, Different: 1}, "status changed 404 not_found 200 ok"},
		{"another error", control(func(j *shadow.Job) {
			j.Control, j.Run = failed(fault.New(fault.NotFound, "")), answers(failed(errOdd))
		}), counts{Compared: 1, Different: 1}, "status changed 404 not_found 500 internal"},
		{"the same error", control(func(j *shadow.Job) {
			j.Control, j.Run = failed(fault.New(fault.NotFound, "a")), answers(failed(fault.New(fault.NotFound, "b")))
		}), counts{Compared: 1, Equal: 1}, ""},

		{"a panic", job(func(context.Context) shadow.Answer { panic("odd") }),
			counts{Panicked: 1}, "panic added  internal (panic): panic: odd"},
		{"a panic as an error", job(answers(failed(reason))), counts{Panicked: 1}, "panic added  internal (panic): panic: nil map"},
		{"a panic in a part", job(answers(panicked(reason))), counts{Panicked: 1}, "panic added  internal (panic): panic: nil map"},
		{"a panic that control had, too", control(func(j *shadow.Job) {
			j.Control, j.Run = panicked(reason), answers(panicked(reason))
		}), counts{Compared: 1, Equal: 1}, ""},

		{"a call that was not made", job(answers(shadow.Answer{Hindered: true, Err: errOdd})), counts{Hindered: 1}, ""},
		{"its time", control(func(j *shadow.Job) {
			j.Budget = time.Millisecond
			j.Run = func(ctx context.Context) shadow.Answer {
				<-ctx.Done()
				return failed(context.Cause(ctx))
			}
		}), counts{Compared: 1, Different: 1, Failed: 1}, "status changed 200 ok 504 timeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRunner(t, shadow.Options{})
			before := time.Now().Add(-time.Second)
			if !r.Offer(tc.job) {
				t.Fatal("not taken")
			}
			quiet(t, r)
			got := only(t, r)
			if got.Counts != tc.want || got.Class != "phone" || got.Name != "reviews-first" || got.Candidate != "phone/v2" {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
			if (tc.told == "") != (len(got.Examples) == 0) {
				t.Fatalf("%+v", got.Examples)
			}
			if tc.told == "" {
				return
			}
			e := got.Examples[0]
			if told := fmt.Sprint(e.At, " ", e.Kind, " ", e.Control, " ", e.Candidate); told != tc.told {
				t.Errorf("%q, want %q", told, tc.told)
			}
			if e.RequestID != "r-1" || e.Page != "productdetails" || e.Query != "productid=p-1042" || e.Time.Before(before) {
				t.Errorf("%+v", e)
			}
			if tc.want.Panicked == 0 && !slices.Equal(got.Places, []shadow.Place{{Path: e.Path, Kind: e.Kind, Count: 1}}) {
				t.Errorf("%+v", got.Places)
			}
		})
	}
}

// TestHinderedControlIsNotRun: the candidate would ask for what control had no time for.
func TestHinderedControlIsNotRun(t *testing.T) {
	r := newRunner(t, shadow.Options{})
	j := job(func(context.Context) shadow.Answer { t.Error("run"); return page(`{}`) })
	j.Control.Hindered = true
	if r.Offer(j) {
		t.Error("taken")
	}
	if got := only(t, r); got.Hindered != 1 {
		t.Errorf("%+v", got)
	}
}

// TestOfferNeverBlocks: so many run, so many wait, and the others are dropped; those
// that wait run in their order.
func TestOfferNeverBlocks(t *testing.T) {
	r := newRunner(t, shadow.Options{Concurrent: 3, Queue: 2})
	release := make(chan struct{})
	var running, most atomic.Int64
	hold := job(func(context.Context) shadow.Answer {
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-release
		running.Add(-1)
		return page(`{"a":1}`)
	})
	for i, want := range []bool{true, true, true, true, true, false, false} {
		if r.Offer(hold) != want {
			t.Errorf("job %d: taken %v", i, !want)
		}
	}
	eventually(t, "three run", func() bool { return running.Load() == 3 })
	if s := r.Stats(); s.InProgress != 3 || s.Waiting != 2 || s.Rollouts[0].Dropped != 2 {
		t.Errorf("%+v", s)
	}
	close(release)
	quiet(t, r)
	if got := only(t, r); got.Equal != 5 || got.Dropped != 2 || most.Load() > 3 {
		t.Errorf("%+v, %d at once", got, most.Load())
	}
}

// TestOfferUnderLoad: whoever offers at once, each job is counted once.
func TestOfferUnderLoad(t *testing.T) {
	r := newRunner(t, shadow.Options{Concurrent: 2, Queue: 3})
	const offers = 4000
	var taken atomic.Uint64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range offers / 8 {
				if r.Offer(job(answers(page(fmt.Sprintf(`{"a":%d}`, (n+i)%2))))) {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	quiet(t, r)
	if got := only(t, r); got.Compared != taken.Load() || got.Compared+got.Dropped != offers || got.Equal+got.Different != got.Compared {
		t.Errorf("%+v, %d taken", got, taken.Load())
	}
}

// TestEndlessLoops: each is noticed and gives up its place, and after as many as are
// allowed the candidate is run no more, in no rollout; others are.
func TestEndlessLoops(t *testing.T) {
	r := newRunner(t, shadow.Options{Concurrent: 1, Queue: 4, Grace: time.Millisecond, Runaways: 2})
	release := make(chan struct{})
	defer close(release)
	loop := job(func(context.Context) shadow.Answer {
		<-release // as a loop does that knows no context
		return page(`{"a":2}`)
	})
	loop.Budget = time.Millisecond
	for range 4 { // the first runs, three wait: the second takes its place, and two are refused
		if !r.Offer(loop) {
			t.Fatal("not taken")
		}
	}
	eventually(t, "the candidate is stopped", func() bool { s := only(t, r); return s.Stopped && s.Refused == 2 })
	if s := r.Stats(); s.InProgress != 0 || s.Rollouts[0].Runaways != 2 || s.Rollouts[0].Compared != 0 {
		t.Errorf("%+v", s)
	}
	loop.Rollout = "another"
	if r.Offer(loop) {
		t.Error("taken again")
	}
	other := job(answers(page(`{"a":1}`)))
	other.Candidate = "phone/v3"
	if !r.Offer(other) {
		t.Error("another candidate is stopped")
	}
	quiet(t, r)
	all := r.Stats().Rollouts
	if all[2].Candidate != "phone/v3" || all[2].Equal != 1 || !all[0].Stopped || all[0].Refused != 1 {
		t.Errorf("%+v", all)
	}
}

// TestLateAnswersDoNotCount: a runaway that ends all the same has had its place.
func TestLateAnswersDoNotCount(t *testing.T) {
	r := newRunner(t, shadow.Options{Concurrent: 1, Grace: time.Millisecond})
	release := make(chan struct{})
	late := job(func(context.Context) shadow.Answer { <-release; return page(`{"a":2}`) })
	late.Budget = time.Millisecond
	r.Offer(late)
	eventually(t, "it is given up", func() bool { return only(t, r).Runaways == 1 })
	inTime := job(answers(page(`{"a":1}`)))
	r.Offer(inTime)
	quiet(t, r)
	close(release)
	eventually(t, "it ends", func() bool { return shadow.Alive(r) == 0 })
	if got := only(t, r); got.Compared != 1 || got.Equal != 1 || got.Stopped || got.Dropped != 0 {
		t.Errorf("%+v", got)
	}
}

// TestGoroutinesLeftBehind count as a job that does not end.
func TestGoroutinesLeftBehind(t *testing.T) {
	r := newRunner(t, shadow.Options{Runaways: 2})
	left := page(`{"a":1}`)
	left.Runaways = 1
	for range 2 {
		r.Offer(job(answers(left)))
		quiet(t, r)
	}
	if got := only(t, r); got.Runaways != 2 || !got.Stopped || got.Equal != 2 || r.Offer(job(answers(left))) {
		t.Errorf("%+v", got)
	}
}

// TestClose ends what runs, drops what waits and takes nothing more; what does not end
// it tells of.
func TestClose(t *testing.T) {
	r := shadow.NewRunner(shadow.Options{Concurrent: 2, Queue: 2})
	began := make(chan struct{}, 2)
	release := make(chan struct{})
	r.Offer(job(func(ctx context.Context) shadow.Answer {
		began <- struct{}{}
		<-ctx.Done()
		return failed(context.Cause(ctx))
	}))
	r.Offer(job(func(context.Context) shadow.Answer {
		began <- struct{}{}
		<-release
		return page(`{"a":2}`)
	}))
	r.Offer(job(func(context.Context) shadow.Answer { t.Error("run"); return page(`{}`) }))
	<-began
	<-began
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := r.Close(short)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 candidates run on") {
		t.Errorf("%v", err)
	}
	if r.Offer(job(answers(page(`{}`)))) {
		t.Error("taken")
	}
	close(release)
	for range 2 { // closing twice is closing once
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := only(t, r); got.Dropped != 4 || got.Compared != 0 || len(got.Examples) != 0 {
		t.Errorf("%+v", got)
	}
	if err := shadow.NewRunner(shadow.Options{}).Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWhatIsKeptIsBounded: examples, of one request few; places; rollouts; and no
// query is long.
func TestWhatIsKeptIsBounded(t *testing.T) {
	r := newRunner(t, shadow.Options{Concurrent: 1})
	for n := range 30 {
		var body strings.Builder
		for i := range 50 {
			fmt.Fprintf(&body, `,"m%d_%d":1`, n, i)
		}
		j := job(answers(page("{" + body.String()[1:] + "}")))
		j.RequestID, j.Query = fmt.Sprint("r-", n), strings.Repeat("é", 500)
		if !r.Offer(j) {
			t.Fatal("not taken")
		}
		quiet(t, r)
	}
	got := only(t, r)
	e := got.Examples
	if len(e) != 20 || e[0].RequestID != "r-29" || e[19].RequestID != "r-25" || len(e[0].Query) > 200 {
		t.Errorf("%+v", e)
	}
	var sum uint64
	for _, p := range got.Places {
		sum += p.Count
	}
	if len(got.Places) != shadow.MaxPlaces+1 || got.Places[0].Path != "other" || sum != 30*51 {
		t.Errorf("%d places, %d differences: %+v", len(got.Places), sum, got.Places[0])
	}
	for n := range 3 * shadow.MaxTallies {
		j := job(answers(page(`{"a":1}`)))
		j.Rollout = fmt.Sprint("x-", n)
		r.Offer(j)
	}
	quiet(t, r)
	if s := r.Stats(); len(s.Rollouts) != shadow.MaxTallies || s.Rollouts[0].Name != "x-200" {
		t.Errorf("%d rollouts, from %s", len(s.Rollouts), s.Rollouts[0].Name)
	}
	var all uint64
	for _, c := range r.Totals() {
		all += c.Compared + c.Panicked + c.Hindered + c.Dropped + c.Refused
	}
	if all != 30+3*shadow.MaxTallies {
		t.Errorf("%d jobs in all: those of rollouts that are forgotten count", all)
	}
}

// TestExamplesAreOfDifferentPlaces: one job gives one of each, though it found more.
func TestExamplesAreOfDifferentPlaces(t *testing.T) {
	r := newRunner(t, shadow.Options{})
	j := job(answers(page(`{"l":[5,6,7],"m":{"a":1}}`)))
	j.Control = page(`{"l":[1,2,3],"m":{}}`)
	r.Offer(j)
	quiet(t, r)
	got := only(t, r)
	if len(got.Examples) != 2 || got.Examples[0].Path != "/m/a" || got.Examples[1].Path != "/l/*" {
		t.Errorf("%+v", got.Examples)
	}
	want := []shadow.Place{{Path: "/l/*", Kind: shadow.Changed, Count: 3}, {Path: "/m/a", Kind: shadow.Added, Count: 1}}
	if !slices.Equal(got.Places, want) {
		t.Errorf("%+v", got.Places)
	}
}

// TestStatsAreJSON: as the private port tells them.
func TestStatsAreJSON(t *testing.T) {
	r := newRunner(t, shadow.Options{})
	r.Offer(job(answers(page(`{"a":2}`))))
	quiet(t, r)
	s := r.Stats()
	s.Rollouts[0].Examples[0].Time = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	told, err := json.MarshalIndent(s, "", " ")
	want := `{
 "in_progress": 0,
 "waiting": 0,
 "rollouts": [
  {
   "class": "phone",
   "name": "reviews-first",
   "candidate": "phone/v2",
   "compared": 1,
   "equal": 0,
   "different": 1,
   "failed": 0,
   "panicked": 0,
   "hindered": 0,
   "dropped": 0,
   "refused": 0,
   "runaways": 0,
   "stopped": false,
   "places": [
    {
     "path": "/a",
     "kind": "changed",
     "count": 1
    }
   ],
   "examples": [
    {
     "time": "2026-11-25T12:00:00Z",
     "request_id": "r-1",
     "page": "productdetails",
     "query": "productid=p-1042",
     "path": "/a",
     "at": "/a",
     "kind": "changed",
     "control": "1",
     "candidate": "2"
    }
   ]
  }
 ]
}`
	if err != nil || string(told) != want {
		t.Errorf("%v\n%s", err, told)
	}
}

// TestAnswerOf: what hinders the comparison of control, and of a candidate.
func TestAnswerOf(t *testing.T) {
	gone := report.Mark{Rung: report.Missing}
	for _, tc := range []struct {
		name               string
		reason             fault.Reason // of the call's error
		mark               report.Mark
		control, candidate bool // hindered
	}{
		{"a success", fault.None, report.Mark{Rung: report.Live}, false, false},
		{"a failure", fault.ReasonError, gone, false, false},
		{"a timeout", fault.ReasonTimeout, gone, false, false},
		{"no such thing", fault.ReasonNotFound, gone, false, false},
		{"an open circuit", fault.ReasonOpen, gone, false, true}, // control's is shared
		{"no ticket", fault.ReasonFull, gone, false, true},
		{"no ticket, but a copy", fault.ReasonFull, report.Mark{Rung: report.Stale}, false, true},
		{"the end of the page's time", fault.ReasonBudget, gone, true, true},
		{"the end of its time, but a copy", fault.ReasonBudget, report.Mark{Rung: report.Stale}, false, true}, // likewise
		{"the end of the page", fault.ReasonCanceled, gone, true, true},
	} {
		for _, candidate := range []bool{false, true} {
			var err error
			if tc.reason != fault.None {
				err = fault.Because(tc.reason, errOdd)
			}
			r := report.New("r-1", report.Trace{})
			r.Shadow = candidate
			c := r.Begin("a.b")
			c.Err, c.Mark = err, tc.mark
			r.Begin("a.c").Mark.Rung = report.Live
			want := tc.control && !candidate || tc.candidate && candidate
			page := adapter.Answer{ContentType: "x"}
			for _, failure := range []struct {
				err      error
				hindered bool
			}{
				{nil, want},
				{&fault.Error{Code: fault.Unavailable, Reason: fault.ReasonDependency, Cause: err}, want && err != nil}, // it failed for the call
				{fault.New(fault.BadAnswer, ""), false}, // the call ended for it
			} {
				got := shadow.AnswerOf(page, failure.err, r, 0)
				if got.Hindered != failure.hindered || got.ContentType != "x" || !errors.Is(got.Err, failure.err) || got.Panicked != nil {
					t.Errorf("%s, of a candidate %v: %+v, want hindered %v", tc.name, candidate, got, failure.hindered)
				}
			}
			if got := shadow.AnswerOf(page, nil, r, 2); got.Hindered == candidate || got.Runaways != 2 {
				t.Errorf("%s, with runaways, of a candidate %v: %+v", tc.name, candidate, got)
			}
		}
	}
}

// TestAnswerOfWhatWasCutShort: without a call that would tell.
func TestAnswerOfWhatWasCutShort(t *testing.T) {
	for _, tc := range []struct {
		err                error
		control, candidate bool
	}{
		{context.Canceled, true, true},
		{fault.Because(fault.ReasonCanceled, errOdd), true, true},
		{fault.Because(fault.ReasonBudget, errOdd), true, false},
		{fault.Because(fault.ReasonTimeout, errOdd), false, false},
		{errOdd, false, false},
	} {
		r := report.New("r-1", report.Trace{})
		if got := shadow.AnswerOf(adapter.Answer{}, tc.err, r, 0); got.Hindered != tc.control {
			t.Errorf("control, %v: %+v", tc.err, got)
		}
		r.Shadow = true
		if got := shadow.AnswerOf(adapter.Answer{}, tc.err, r, 0); got.Hindered != tc.candidate {
			t.Errorf("a candidate, %v: %+v", tc.err, got)
		}
	}
}

// TestAnswerOfPanics: of the page or of a part.
func TestAnswerOfPanics(t *testing.T) {
	r, odd := report.New("r-1", report.Trace{}), fault.Because(fault.ReasonPanic, errOdd)
	if got := shadow.AnswerOf(adapter.Answer{}, odd, r, 0); !errors.Is(got.Panicked, odd) {
		t.Errorf("%+v", got)
	}
	r.Parts = []report.Part{{Name: "a", Err: errOdd}, {Name: "b", Err: odd}, {Name: "c"}}
	if got := shadow.AnswerOf(adapter.Answer{}, nil, r, 0); !errors.Is(got.Panicked, odd) {
		t.Errorf("%+v", got)
	}
}
