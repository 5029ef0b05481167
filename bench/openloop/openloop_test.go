package openloop_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func client(t *testing.T) *http.Client {
	t.Helper()
	c := openloop.NewClient(10 * time.Second)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func kind(server *httptest.Server, path string, perSecond float64) openloop.Kind {
	return openloop.Kind{Name: path, PerSecond: perSecond, Request: func(int) (*http.Request, error) {
		return http.NewRequest(http.MethodGet, server.URL+path, http.NoBody)
	}}
}

// TestOpenLoop: a server that answers nothing until all have been sent does not
// slow the sending, and the wait counts from when each was due.
func TestOpenLoop(t *testing.T) {
	const expected = 200
	var asked atomic.Int64
	all := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == expected {
			close(all)
		}
		<-all
		w.Header().Set("Facet-Parts", "cart=missing;reason=open")
	}))
	defer server.Close()
	results, err := openloop.Run(t.Context(), client(t), time.Second, kind(server, "/a", expected))
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if len(r.Answers) != expected || r.Share(openloop.Served) != 1 || r.Count(openloop.Whole) != 0 {
		t.Fatalf("%d answers, %.2f served", len(r.Answers), r.Share(openloop.Served))
	}
	const most = 900 * time.Millisecond
	if first, last := r.Answers[0], r.Answers[expected-1]; first.Due != 0 || last.Due < most || first.Took < most {
		t.Errorf("first %+v, last %+v", first, last)
	}
	if half := r.Between(500*time.Millisecond, time.Second); len(half.Answers) != expected/2 {
		t.Errorf("%d in the second half", len(half.Answers))
	}
}

func TestKindsAndFailures(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	results, err := openloop.Run(t.Context(), client(t), 300*time.Millisecond,
		kind(server, "/whole", 100), kind(server, "/refused", 50), kind(server, "/broken", 20))
	if err != nil {
		t.Fatal(err)
	}
	whole, refused, broken := results[0], results[1], results[2]
	none := func(a openloop.Answer) bool { return a.Status == 0 }
	if whole.Count(openloop.Whole) != 30 || refused.Count(openloop.Refused) != 15 || broken.Count(none) != 6 {
		t.Errorf("%+v\n%+v\n%+v", whole, refused, broken)
	}
	if refused.Percentile(99, openloop.Refused) <= 0 || refused.Percentile(99, openloop.Whole) != 0 {
		t.Error("percentiles of what is and of what is not there")
	}
}

// TestSound: answers are held to what a kind wants of them, and lost without.
func TestSound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/good" {
			_, _ = io.WriteString(w, "/good")
		}
	}))
	defer server.Close()
	good, bad := kind(server, "/good", 50), kind(server, "/bad", 50)
	good.Sound = func(header http.Header, status int, body []byte) bool {
		return status == http.StatusOK && header.Get("Content-Length") != "" && string(body) == "/good"
	}
	bad.Sound = good.Sound
	results, err := openloop.Run(t.Context(), client(t), 200*time.Millisecond, good, bad)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Count(openloop.Lost) != 0 || results[1].Count(openloop.Lost) != 10 || results[1].Count(openloop.Any) != 10 {
		t.Errorf("%+v", results)
	}
}

func TestPercentile(t *testing.T) {
	r := openloop.Result{Answers: make([]openloop.Answer, 100)}
	for i := range r.Answers {
		r.Answers[i] = openloop.Answer{Status: 200, Took: time.Duration(100 - i)}
	}
	for p, want := range map[float64]time.Duration{0: 1, 1: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := r.Percentile(p, openloop.Served); got != want {
			t.Errorf("%v: %d, want %d", p, got, want)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	results, err := openloop.Run(ctx, client(t), time.Hour, kind(server, "/", 100))
	if n := len(results[0].Answers); err != nil || n == 0 || n > 50 {
		t.Errorf("%d answers, %v", n, err)
	}
}

func TestRefuses(t *testing.T) {
	if _, err := openloop.Run(t.Context(), &http.Client{}, time.Second); err == nil {
		t.Error("a client without a timeout")
	}
	none := errors.New("no request")
	bad := openloop.Kind{PerSecond: 10, Request: func(int) (*http.Request, error) { return nil, none }}
	if _, err := openloop.Run(t.Context(), client(t), time.Second, bad); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
}

func TestLatenessIsMeasuredUntilItsEnd(t *testing.T) {
	end := openloop.WatchLateness()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	<-tick.C
	if late := end(); late.Most < late.P99 || late.P99 <= 0 {
		t.Errorf("%+v", late)
	}
}
