package stream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// input is what a verb is given: an answer on a rung, or a failure.
type input struct {
	name string
	mark report.Mark
	err  error
}

// inputs returns every rung, with its age and reason, and a failure for every reason.
func inputs() []input {
	all := []input{
		{"cached", report.Mark{Rung: report.Cached, Age: 3 * time.Second}, nil},
		{"live", live, nil},
		{"stale", report.Mark{Rung: report.Stale, Age: 9 * time.Second, Reason: fault.ReasonOpen}, nil},
		{"default", report.Mark{Rung: report.Default, Reason: fault.ReasonFull}, nil},
	}
	for _, r := range fault.Reasons() {
		all = append(all, input{r.String(), report.Mark{Rung: report.Missing, Reason: r}, fault.Because(r, errOdd)})
	}
	plain := report.Mark{Rung: report.Missing, Reason: fault.ReasonError}
	return append(all, input{"plain error", plain, errOdd})
}

func (in input) stream(v int) stream.Stream[int] {
	if in.err != nil {
		return fails[int](in.err)
	}
	return at(v, in.mark)
}

// dependent is the mark of a call that was not made because in failed.
var dependent = report.Mark{Rung: report.Missing, Reason: fault.ReasonDependency}

// verbs are the rules of the algebra: what each verb makes of an input whose
// value is 20. Or, Then, Each join with a live answer, unless they say otherwise.
var verbs = []struct {
	name  string
	build func(in input) stream.Stream[int]
	want  func(in input) (value int, mark report.Mark, code fault.Code)
}{
	{"itself",
		func(in input) stream.Stream[int] { return in.stream(20) },
		func(in input) (int, report.Mark, fault.Code) { return 20, in.mark, fault.CodeOf(in.err) }},
	{"Map",
		func(in input) stream.Stream[int] { return stream.Map(in.stream(20), func(v int) int { return v + 1 }) },
		func(in input) (int, report.Mark, fault.Code) { return 21, in.mark, fault.CodeOf(in.err) }},
	{"Or",
		func(in input) stream.Stream[int] { return stream.Or(in.stream(20), 7) },
		func(in input) (int, report.Mark, fault.Code) {
			if in.err != nil {
				return 7, report.Mark{Rung: report.Default, Reason: in.mark.Reason}, fault.OK
			}
			return 20, in.mark, fault.OK
		}},
	{"Then, upstream",
		func(in input) stream.Stream[int] {
			return stream.Then(in.stream(20), func(v int) stream.Stream[int] { return at(v+1, live) })
		},
		func(in input) (int, report.Mark, fault.Code) {
			if in.err != nil {
				return 0, dependent, fault.CodeOf(in.err)
			}
			return 21, in.mark.Join(live), fault.OK
		}},
	{"Then, downstream",
		func(in input) stream.Stream[int] {
			return stream.Then(at(0, live), func(int) stream.Stream[int] { return in.stream(20) })
		},
		func(in input) (int, report.Mark, fault.Code) { return 20, in.mark.Join(live), fault.CodeOf(in.err) }},
	{"Each, list",
		func(in input) stream.Stream[int] {
			list := stream.Map(in.stream(20), func(v int) []int { return []int{v, v} })
			return sum(stream.Each(list, 2, func(v int) stream.Stream[int] { return at(v, live) }))
		},
		func(in input) (int, report.Mark, fault.Code) {
			if in.err != nil {
				return 0, dependent, fault.CodeOf(in.err)
			}
			return 40, in.mark.Join(live), fault.OK
		}},
	{"Each, element",
		func(in input) stream.Stream[int] {
			return sum(stream.Each(at([]int{0, 1, 2}, live), 2, func(v int) stream.Stream[int] {
				if v == 1 {
					return in.stream(20)
				}
				return at(v, live)
			}))
		},
		func(in input) (int, report.Mark, fault.Code) { return 22, in.mark.Join(live), fault.CodeOf(in.err) }},
	{"Each, element with Or",
		func(in input) stream.Stream[int] {
			return sum(stream.Each(at([]int{0, 1, 2}, live), 2, func(v int) stream.Stream[int] {
				if v == 1 {
					return stream.Or(in.stream(20), 7)
				}
				return at(v, live)
			}))
		},
		func(in input) (int, report.Mark, fault.Code) {
			if in.err != nil {
				return 9, report.Mark{Rung: report.Default, Reason: in.mark.Reason}, fault.OK
			}
			return 22, in.mark.Join(live), fault.OK
		}},
}

func sum(s stream.Stream[[]int]) stream.Stream[int] {
	return stream.Map(s, func(all []int) (n int) {
		for _, v := range all {
			n += v
		}
		return n
	})
}

// TestAlgebra has a cell for every verb, input, and kind of part.
func TestAlgebra(t *testing.T) {
	for _, verb := range verbs {
		for _, in := range inputs() {
			value, mark, code := verb.want(in)
			if code != fault.OK {
				value, mark.Rung = 0, report.Missing
			}
			t.Run(strings.ReplaceAll(fmt.Sprintf("%s/%s", verb.name, in.name), ", ", " "), func(t *testing.T) {
				opt := optional(t, verb.build(in))
				check(t, "optional", opt, value, mark, code)
				if opt.err != nil {
					t.Errorf("optional: the page fails: %v", opt.err)
				}
				req := required(t, verb.build(in))
				check(t, "required", req, value, mark, code)
				if fault.CodeOf(req.err) != code {
					t.Errorf("required: the page has code %v, want %v", fault.CodeOf(req.err), code)
				}
			})
		}
	}
}

func check(t *testing.T, kind string, got told[int], value int, mark report.Mark, code fault.Code) {
	t.Helper()
	if code != fault.OK {
		mark.Age = 0
	}
	placed := 0
	if code == fault.OK {
		placed = 1
	}
	if got.value != value || got.placed != placed || got.part.Mark != mark || fault.CodeOf(got.part.Err) != code {
		t.Errorf("%s: got %d placed %d, %v, %v; want %d placed %d, %v, %v", kind,
			got.value, got.placed, got.part.Mark, got.part.Err, value, placed, mark, code)
	}
	if got.part.Required != (kind == "required") {
		t.Errorf("%s: required is %t", kind, got.part.Required)
	}
}

func TestConstants(t *testing.T) {
	check(t, "optional", optional(t, stream.Of(4)), 4, live, fault.OK)
	open := fault.Because(fault.ReasonOpen, nil)
	check(t, "optional", optional(t, stream.Fail[int](open)), 0,
		report.Mark{Rung: report.Missing, Reason: fault.ReasonOpen}, fault.Unavailable)
	check(t, "optional", optional(t, stream.Or(stream.Fail[int](open), 4)), 4,
		report.Mark{Rung: report.Default, Reason: fault.ReasonOpen}, fault.OK)
}

func TestZeroStream(t *testing.T) {
	missing := report.Mark{Rung: report.Missing, Reason: fault.ReasonError}
	var zero stream.Stream[int]
	check(t, "optional", optional(t, zero), 0, missing, fault.Internal)
	if got := required(t, stream.Map(zero, func(int) int { return 1 })); fault.CodeOf(got.err) != fault.Internal {
		t.Errorf("the page fails with %v", got.err)
	}
	then := stream.Then(stream.Of(1), func(int) stream.Stream[int] { return zero })
	check(t, "optional", optional(t, then), 0, missing, fault.Internal)
}

func TestEachKeepsOrderAndTakesNothing(t *testing.T) {
	release := make([]chan struct{}, 5)
	for i := range release {
		release[i] = make(chan struct{})
	}
	close(release[4]) // the last element ends first
	list := stream.Each(stream.Of([]int{0, 1, 2, 3, 4}), 1<<62, func(v int) stream.Stream[int] {
		return waiting(v, release[v], func() {
			if v > 0 {
				close(release[v-1])
			}
		})
	})
	if got := optional(t, list); !slices.Equal(got.value, []int{0, 1, 2, 3, 4}) {
		t.Errorf("got %v, %v", got.value, got.part.Err)
	}
	none := optional(t, stream.Each(stream.Of([]int(nil)), 0, stream.Of[int]))
	if none.value == nil || len(none.value) != 0 || none.part.Mark != live {
		t.Errorf("of no elements: %v %v", none.value, none.part)
	}
}
