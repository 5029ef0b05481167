package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/bench/wrk"
)

func TestOrderTurnsRound(t *testing.T) {
	t.Parallel()
	for round, want := range [][]int{{0, 1, 2}, {2, 1, 0}, {0, 1, 2}} {
		if got := order(round, 3); !slices.Equal(got, want) {
			t.Errorf("round %d: %v, want %v", round, got, want)
		}
	}
}

func TestNewSample(t *testing.T) {
	t.Parallel()
	got := newSample(account{2 * time.Second, 70_100}, wrk.Load{Requests: 10_000, Micros: 4_000_000, P50: 1500, P99: 9000})
	if want := (sample{cpu: 200, rate: 2500, p50: 1.5, p99: 9, made: 7.01}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCallsFault(t *testing.T) {
	t.Parallel()
	f := &fleet{options: options{connections: 32, workload: workloads()["productdetails"]}}
	for calls, faulty := range map[int64]bool{7_000: false, 7_224: false, 6_950: false, 6_000: true, 8_000: true, 0: true} {
		if err := f.callsFault(calls, 1000); (err != nil) != faulty {
			t.Errorf("%d calls for 1000 pages: %v, want a fault: %v", calls, err, faulty)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("%v: %v, want %v", values, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	made := func(name string, cpu ...float64) *result {
		r := &result{name: name, peak: 48 << 20}
		for _, c := range cpu {
			r.samples = append(r.samples, sample{cpu: c, rate: 1e6 / c, p50: 3, p99: 8, made: 7})
		}
		return r
	}
	var out strings.Builder
	o := options{rounds: 3, duration: 8 * time.Second, connections: 32, gogc: 400, workload: workloads()["home"]}
	results := []*result{made("gateway", 150, 160, 170), made("twin", 300, 320, 300), made("gateway again", 150, 160, 160)}
	if err := writeTable(&out, o, 100, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"`/home` for a tv: 3 rounds of 8s, 32 connections, 100 different pages, GOGC=400",
		"| gateway | 160.0 (150.0–170.0) | 6250 (5882–6667) | 3.0 (3.0–3.0) | 8.0 (8.0–8.0) | 48 | 7.00 | 0 |",
		"- gateway / twin: 0.500 (0.500–0.567)",
		"- gateway / gateway again (two equal runs): 1.000 (1.000–1.062)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, out.String())
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	o, err := parseOptions([]string{"-rounds", "3", "-duration", "2s"}, io.Discard)
	if err != nil || o.rounds != 3 || o.duration != 2*time.Second || o.connections != 32 || o.gogc != 400 {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, bad := range []string{"-rounds=0", "-duration=10ms", "-warmup=0s", "-connections=0", "-products=0",
		"-gogc=0", "-nothing=1", "-page=basket"} {
		if _, err := parseOptions([]string{bad}, io.Discard); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
