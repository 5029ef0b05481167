package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// TestShortForm holds the real program, built with the race detector, to the bars of
// every row that is quick to show.
func TestShortForm(t *testing.T) {
	o := options{short: true, race: true}
	var progress bytes.Buffer
	found, late, err := o.measure(t.Context(), &progress)
	if err != nil {
		t.Fatal(err)
	}
	if missed(found) {
		var table bytes.Buffer
		writeTable(&table, o, late, found)
		t.Error(table.String())
	}
	t.Logf("%d figures met, goroutines up to %v late, %d rows run again",
		count(found, met), late, strings.Count(progress.String(), "once more"))
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
		{medianAtMost("x", []float64{1, 9, 5}, 5), met},
		{medianAtMost("x", []float64{1, 9, 5.1}, 5), notMet},
		{medianAtMost("x", none, 5), notMet},
		{atLeast("x", nil, []float64{3, 5}, 3), met},
		{atLeast("x", nil, []float64{2.9, 5}, 3), notMet},
		{atLeast("x", nil, none, 3), notMet},
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
	r := &record{began: time.Now(), glances: map[string][]glance{}, most: map[string]int64{}}
	look := func(circuit string, failures, opened uint64) {
		r.add([]command{{
			Name: "a.b", Circuit: circuit, InFlight: 3, MaxConcurrent: 2,
			FaultsInARow: int64(failures), Opened: opened, Retries: failures / 2,
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
	if !ever || r.faultsToOpen("a.b") != 40 || r.openings("a.b") != 1 || r.retries("a.b") != 17 || r.above != 4 {
		t.Errorf("%+v", r)
	}
	after, isClosed := r.closed("a.b")
	if opened, _ := r.opened("a.b"); !isClosed || after < opened {
		t.Errorf("closed %v after %v", isClosed, after)
	}
	if _, ever := r.opened("c.d"); ever || r.faultsToOpen("c.d") != 0 || r.openings("c.d") != 0 {
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

func TestRunsAgainOnlyWhatMissedOnALateMachine(t *testing.T) {
	cases := []struct {
		late float64
		good int // the attempt that meets its bar; 0: none
		want int // attempts
	}{{0, 0, 1}, {mostLate, 0, 1}, {mostLate + 1, 0, 3}, {mostLate + 1, 1, 1}, {mostLate + 1, 2, 2}}
	for _, c := range cases {
		attempts := 0
		l := &lab{}
		r := row{run: func(context.Context, *lab, row) ([]finding, error) {
			attempts++
			l.rowLate = c.late
			return []finding{{verdict: judged(attempts == c.good)}}, nil
		}}
		found, err := l.show(t.Context(), r, io.Discard)
		if err != nil || attempts != c.want || missed(found) != (c.good == 0) {
			t.Errorf("%+v: %d attempts, %v", c, attempts, err)
		}
	}
}

func TestEarlyCalls(t *testing.T) {
	began := time.Now()
	asked := map[string][]time.Time{}
	for key, seconds := range map[string][]int{"/a": {0, 2, 3, 4, 8}, "/b": {5, 0, 10}, "/c": {1, 1, 1}} {
		for _, s := range seconds {
			asked[key] = append(asked[key], began.Add(time.Duration(s)*time.Second))
		}
	}
	for allowed, want := range []int{4, 2, 0} {
		if n := early(asked, 2*time.Second, allowed); n != want {
			t.Errorf("beside %d a key: %d calls are early, want %d", allowed, n, want)
		}
	}
	if calls(asked) != 11 {
		t.Errorf("%d calls", calls(asked))
	}
	bad := asking{faulty: true, span: time.Second, of: []map[string][]time.Time{asked, {}}, reconnects: []int{1, 0}}
	if found := judgeCalls([]asking{bad}); !missed(found) {
		t.Error("early calls are no miss")
	}
	bad.reconnects[0] = 2
	if found := judgeCalls([]asking{bad}); missed(found) {
		t.Error("calls after a new connection are a miss")
	}
}

func TestSumOfSeries(t *testing.T) {
	const text = `# HELP a_total x
a_total{reason="panic"} 2
a_total{x="1",reason="panic"} 3
a_total{reason="open"} 9
b_total{reason="panic"} 7
`
	if n := sum([]byte(text), "a_total", `reason="panic"`); n != 5 {
		t.Errorf("got %v", n)
	}
	if n := sum([]byte(`a_total{reason="panic"} many`), "a_total", `reason="panic"`); !math.IsInf(n, 1) {
		t.Errorf("what is no number is %v", n)
	}
}

func TestHealthyAndFaultyTakeTurns(t *testing.T) {
	var order []string
	note := func(what string) func() error {
		return func() error { order = append(order, what); return nil }
	}
	for round := range 2 {
		if err := inTurn(round, note("healthy"), note("faulty")); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"healthy", "faulty", "faulty", "healthy"}; !slices.Equal(order, want) {
		t.Errorf("got %v", order)
	}
}

func TestRelayIsLate(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close() //nolint:errcheck // the test is over
	go func() {
		if conn, err := server.Accept(); err == nil {
			_, _ = io.Copy(conn, conn) // an echo, until the relay closes it
			_ = conn.Close()
		}
	}()
	r, err := newRelay(t.Context(), server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", r.addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, late := range []time.Duration{0, 30 * time.Millisecond} {
		r.delay.Store(int64(late))
		began, answer := time.Now(), make([]byte, 4)
		if _, err := conn.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "ping" {
			t.Fatalf("%q, %v", answer, err)
		}
		if took := time.Since(began); took < 2*late {
			t.Errorf("%v late in each direction: there and back in %v", late, took)
		}
	}
	_ = conn.Close() // it was read
	r.close()
}
