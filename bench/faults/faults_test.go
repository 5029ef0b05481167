package main

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestShortForm holds the real program, built with the race detector, to the bars of
// every row that is quick to show.
func TestShortForm(t *testing.T) {
	o := options{short: true, race: true}
	found, late, err := o.measure(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if missed(found) {
		var table bytes.Buffer
		writeTable(&table, o, late, found)
		t.Error(table.String())
	}
	t.Logf("%d figures met, goroutines up to %v late", count(found, met), late)
	if n := count(found, met); n < 80 {
		t.Errorf("only %d figures were held to a bar", n)
	}
}

// TestBarsCanBeMissed: a bar that nothing misses shows nothing.
func TestBarsCanBeMissed(t *testing.T) {
	none := []float64{}
	cases := []struct {
		f    finding
		want verdict
	}{
		{atMost("x", nil, []float64{3, 5}, 5, nil), met},
		{atMost("x", nil, []float64{3, 5.1}, 5, nil), notMet},
		{atMost("x", nil, []float64{5.1, 3}, 5, []float64{1, 0}), met},
		{atMost("x", nil, []float64{5.1, 6}, 5, []float64{1, 0.5}), notMet},
		{atMost("x", nil, []float64{math.Inf(1)}, 5, nil), notMet},
		{atMost("x", nil, none, 5, nil), notMet},
		{unchanged("x", []float64{10, 10}, []float64{11, 11}), met},
		{unchanged("x", []float64{10, 10}, []float64{11, 12}), notMet},
		{unchanged("x", []float64{8, 12}, []float64{18, 18}), met},
		{unchanged("x", []float64{8, 12}, []float64{19, 19}), notMet},
		{unchanged("x", []float64{10}, []float64{90}), told},
	}
	for _, c := range cases {
		if c.f.verdict != c.want {
			t.Errorf("%s: want %v", c.f.line(), c.want)
		}
	}
	if missed([]finding{cases[0].f}) || !missed([]finding{cases[0].f, cases[1].f}) {
		t.Error("what is missed is not what was missed")
	}
}

func TestWhatALookSaw(t *testing.T) {
	r := &record{began: time.Now(), glances: map[string][]glance{}}
	look := func(circuit string, failures, opened uint64) {
		r.add([]command{{
			Name: "a.b", Circuit: circuit, InFlight: 3, MaxConcurrent: 2,
			Outcomes: map[string]uint64{"failure": failures, "success": 100}, Opened: opened, Retries: failures / 2,
		}})
	}
	look("closed", 7, 1)
	look("closed", 19, 1)
	look("open", 40, 2)
	if _, isClosed := r.closed("a.b"); isClosed {
		t.Error("an open circuit passes for closed")
	}
	look("closed", 40, 2)
	_, ever := r.opened("a.b")
	if !ever || r.faultsWhileClosed("a.b") != 12 || r.openings("a.b") != 1 || r.retries("a.b") != 17 || r.above != 4 {
		t.Errorf("%+v", r)
	}
	after, isClosed := r.closed("a.b")
	if opened, _ := r.opened("a.b"); !isClosed || after < opened {
		t.Errorf("closed %v after %v", isClosed, after)
	}
	if _, ever := r.opened("c.d"); ever || r.faultsWhileClosed("c.d") != 0 || r.openings("c.d") != 0 {
		t.Error("a command that nobody saw")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	f := atMost("slowest page, ms", []float64{41.234, 40, 45}, []float64{322.5, math.Inf(1)}, 350, []float64{7.4, 2})
	f.row = "hang"
	writeTable(&b, options{short: true}, 1234*time.Microsecond, []finding{f})
	for _, want := range []string{
		"the short form", "1.2ms late",
		"| hang | slowest page, ms | 41.23 (40–45) | never (322.50–never) | ≤ 350 + late, up to 7 | MISSED |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-only", "hang,earthquake"}, {"-fast"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || errors.Is(err, errMissed) {
			t.Errorf("%v: got %v", args, err)
		}
	}
	wanted, err := choose(rows(), options{only: []string{"reset", "hang"}})
	if got := names(wanted); err != nil || !slices.Equal(got, []string{"hang", "reset"}) {
		t.Errorf("got %v, %v", got, err)
	}
}
