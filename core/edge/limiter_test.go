package edge_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/fault"
)

// noon is when the tests below begin; their clock is a number.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// fill admits pages of a priority until one is refused, and returns them.
func fill(t *testing.T, l *edge.Limiter, p edge.Priority, now time.Time) []edge.Permit {
	t.Helper()
	var all []edge.Permit
	for {
		permit, err := l.Admit(p, now)
		if err != nil {
			if !errors.Is(err, edge.ErrOverload) || fault.CodeOf(err) != fault.Unavailable || fault.ReasonOf(err) != fault.ReasonOverload {
				t.Fatalf("refused with %v", err)
			}
			return all
		}
		if all = append(all, permit); len(all) > 1000 {
			t.Fatal("there is no limit")
		}
	}
}

// TestPrefetchesAreRefusedFirst: they fill their part, and persons still get in.
func TestPrefetchesAreRefusedFirst(t *testing.T) {
	l := newLimiter(t, func(o *edge.Options) { o.Min, o.Max = 8, 50 })
	if ahead := fill(t, l, edge.Ahead, noon()); len(ahead) != 16 {
		t.Errorf("%d prefetches, want twice the least", len(ahead))
	}
	if persons := fill(t, l, edge.Person, noon()); len(persons) != 50-16 {
		t.Errorf("%d persons beside them", len(persons))
	}
	if _, err := l.Admit(edge.Ahead, noon()); err == nil {
		t.Error("a prefetch came in beside persons that fill the limit")
	}
	s := l.Stats()
	if s.InProgress != 50 || s.Limit != 50 || s.PrefetchLimit != 16 {
		t.Errorf("%+v", s)
	}
	if s.Refused["prefetch"] != 2 || s.Refused["person"] != 1 || s.Admitted["person"] != 34 {
		t.Errorf("%+v", s)
	}
}

// round has n pages in progress at once, each of which ends with a verdict after
// took, in a budget of a second, and returns the time after that.
func round(t *testing.T, l *edge.Limiter, n int, v edge.Verdict, took time.Duration, now time.Time) time.Time {
	t.Helper()
	permits := make([]edge.Permit, n)
	for i := range permits {
		var err error
		if permits[i], err = l.Admit(edge.Person, now); err != nil {
			t.Fatalf("page %d of %d: %v", i, n, err)
		}
	}
	now = now.Add(took)
	for _, p := range permits {
		p.Done(v, time.Second, now)
	}
	return now.Add(time.Second)
}

// TestWhatTeaches: the limit of persons after pages that ended in one way.
func TestWhatTeaches(t *testing.T) {
	const early, late, overdue = 150 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond
	most := edge.DefaultOptions().Max
	for name, tc := range map[string]struct {
		verdict edge.Verdict
		took    time.Duration
		persons int // their limit afterwards
		ahead   int
	}{
		"whole":          {edge.Whole, early, most, 24}, // of 16, and a fifth in each round
		"late":           {edge.Whole, late, most, 16},
		"overdue":        {edge.Whole, overdue, 80, 16},
		"lost":           {edge.Lost, early, 50, 10},
		"degraded":       {edge.Silent, early, most, 20},
		"degraded, late": {edge.Silent, overdue, most, 20},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLimiter(t, nil)
			now := known(t, l)
			round(t, l, 100, tc.verdict, tc.took, now)
			if s := l.Stats(); s.Limit != tc.persons || s.PrefetchLimit != tc.ahead || (s.Cuts > 0) != (tc.ahead < 20) {
				t.Errorf("%+v, want limits of %d and %d", s, tc.persons, tc.ahead)
			}
		})
	}
}

// known lets a limiter learn what pages take in quiet times.
func known(t *testing.T, l *edge.Limiter) time.Time {
	t.Helper()
	return round(t, l, 20, edge.Whole, 150*time.Millisecond, noon()) // a whole window
}

// TestFastFailuresDoNotLiftTheLimit: a circuit that opens after a cut makes every
// page fail fast; that is not room.
func TestFastFailuresDoNotLiftTheLimit(t *testing.T) {
	l := newLimiter(t, nil)
	now := round(t, l, 100, edge.Lost, 300*time.Millisecond, noon())
	before := l.Stats()
	for range 30 {
		now = round(t, l, 40, edge.Silent, time.Millisecond, now)
	}
	if after := l.Stats(); after.Limit != before.Limit || after.PrefetchLimit != before.PrefetchLimit {
		t.Errorf("%+v became %+v", before, after)
	}
	for range 10 {
		now = round(t, l, 10, edge.Whole, 10*time.Millisecond, now)
	}
	if after := l.Stats(); after.Limit != edge.DefaultOptions().Max {
		t.Errorf("ten quiet seconds later: %+v", after)
	}
}

// TestOnePageDecidesNothing: a late one in a quiet hour is chance.
func TestOnePageDecidesNothing(t *testing.T) {
	l := newLimiter(t, nil)
	now := known(t, l)
	for range 100 {
		now = round(t, l, 1, edge.Lost, 300*time.Millisecond, now)
		now = round(t, l, 20, edge.Whole, 150*time.Millisecond, now)
	}
	if s := l.Stats(); s.Cuts != 0 || s.Lost != 100 {
		t.Errorf("%+v", s)
	}
}

// TestLeastIsAlwaysAdmitted: however bad it gets.
func TestLeastIsAlwaysAdmitted(t *testing.T) {
	l := newLimiter(t, func(o *edge.Options) { o.Min = 5 })
	now := noon()
	for range 200 {
		now = round(t, l, 5, edge.Lost, time.Second, now)
	}
	if s := l.Stats(); s.Limit < 5 || s.PrefetchLimit != 5 {
		t.Errorf("%+v", s)
	}
}

func TestNothingIsLearntWithoutABudget(t *testing.T) {
	l := newLimiter(t, func(o *edge.Options) { o.Max = 100 })
	permits := fill(t, l, edge.Person, noon())
	for _, p := range permits {
		p.Done(edge.Lost, 0, noon().Add(time.Hour))
	}
	if s := l.Stats(); s.Lost != 0 || s.Cuts != 0 || s.InProgress != 0 {
		t.Errorf("%+v", s)
	}
}

func TestConfigure(t *testing.T) {
	l := newLimiter(t, nil)
	o := edge.DefaultOptions()
	o.Max, o.Min, o.Prefetch.Percent, o.Prefetch.Header = 20, 4, 25, "X-App-Ahead: yes"
	if err := l.Configure(o); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Limit != 20 || s.PrefetchLimit != 5 {
		t.Errorf("%+v", s)
	}
	if got := l.Priority(map[string][]string{"X-App-Ahead": {"yes"}}); got != edge.Ahead {
		t.Errorf("the new header: %v", got)
	}
	permits := fill(t, l, edge.Person, noon())
	bad := o
	bad.Target = 0
	if err := l.Configure(bad); err == nil {
		t.Error("a target of 0 is accepted")
	}
	o.Enabled = false
	if err := l.Configure(o); err != nil {
		t.Fatal(err)
	}
	if permit, err := l.Admit(edge.Ahead, noon()); err != nil {
		t.Errorf("refused though not enabled: %v", err)
	} else {
		permits = append(permits, permit)
	}
	for _, p := range permits {
		p.Done(edge.Lost, time.Second, noon().Add(time.Second))
	}
	o.Enabled, o.Max = true, 3000
	if err := l.Configure(o); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Limit != 3000 || s.InProgress != 0 || s.Cuts != 0 || !s.Enabled {
		t.Errorf("%+v", s)
	}
}

func TestOptionsNameTheFieldAtFault(t *testing.T) {
	for field, changes := range map[string][]func(*edge.Options){
		"max":              {func(o *edge.Options) { o.Max = 0 }, func(o *edge.Options) { o.Max = 100_001 }},
		"min":              {func(o *edge.Options) { o.Min = 0 }, func(o *edge.Options) { o.Min = o.Max + 1 }},
		"target_percent":   {func(o *edge.Options) { o.Target = 0 }, func(o *edge.Options) { o.Target = 101 }},
		"prefetch.percent": {func(o *edge.Options) { o.Prefetch.Percent = 0 }, func(o *edge.Options) { o.Prefetch.Percent = 101 }},
		"prefetch.urgency": {func(o *edge.Options) { o.Prefetch.Urgency = 0 }, func(o *edge.Options) { o.Prefetch.Urgency = 9 }},
		"prefetch.header": {
			func(o *edge.Options) { o.Prefetch.Header = "X-Prefetch" }, func(o *edge.Options) { o.Prefetch.Header = ": 1" },
			func(o *edge.Options) { o.Prefetch.Header = "X-Prefetch: " }, func(o *edge.Options) { o.Prefetch.Header = "X Prefetch: 1" },
			func(o *edge.Options) { o.Prefetch.Header = "X-Prefetch: a\nb" }, func(o *edge.Options) { o.Prefetch.Header = "host: a" },
		},
	} {
		for i, change := range changes {
			o := edge.DefaultOptions()
			change(&o)
			_, err := edge.New(o)
			if out := (*edge.RangeError)(nil); !errors.As(err, &out) || out.Field != field || out.Error() == "" {
				t.Errorf("%s %d: %v", field, i, err)
			}
		}
	}
}

// TestManyAtOnce: no more than the limit at any time, and every place comes back.
func TestManyAtOnce(t *testing.T) {
	l := newLimiter(t, func(o *edge.Options) { o.Min, o.Max = 4, 32 })
	var all sync.WaitGroup
	for worker := range 32 {
		all.Go(func() {
			for i := range 200 {
				permit, err := l.Admit(edge.Priority(worker%2), time.Now()) //nolint:gosec // 0 or 1
				if s := l.Stats(); s.InProgress > 32 {
					t.Errorf("%d in progress", s.InProgress)
				}
				if err == nil {
					permit.Done(edge.Verdict(i%3), time.Second, time.Now()) //nolint:gosec // 0 to 2
				}
			}
		})
	}
	all.Wait()
	s := l.Stats()
	if sum := s.Admitted["person"] + s.Admitted["prefetch"] + s.Refused["person"] + s.Refused["prefetch"]; s.InProgress != 0 || sum != 32*200 {
		t.Errorf("%+v", s)
	}
}

// BenchmarkPage is what admission costs a page: its priority, a place, and what
// it teaches. The clock is read once for it.
func BenchmarkPage(b *testing.B) {
	header := map[string][]string{"Priority": {"u=3, i"}, "X-Device-Type": {"phone"}}
	l := newLimiter(b, nil)
	b.ReportAllocs()
	now := time.Now()
	for b.Loop() {
		permit, err := l.Admit(l.Priority(header), now)
		if err != nil {
			b.Fatal(err)
		}
		now = time.Now()
		permit.Done(edge.Whole, time.Second, now)
	}
}

// BenchmarkRefusal is what a page costs that is not admitted.
func BenchmarkRefusal(b *testing.B) {
	header := map[string][]string{"Sec-Purpose": {"prefetch;prerender"}}
	l := newLimiter(b, func(o *edge.Options) { o.Min, o.Max = 1, 1 })
	now := time.Now()
	if _, err := l.Admit(edge.Person, now); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Admit(l.Priority(header), now); err == nil {
			b.Fatal("admitted")
		}
	}
}
