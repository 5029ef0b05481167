package simulator_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

const tent = "/products/p-1042"

// hurt starts a simulator whose catalog has a fault, and returns the tent's address.
func hurt(t testing.TB, text string) (*simulator.Simulator, *http.Client, string) {
	t.Helper()
	f, err := simulator.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	s, c := start(t, simulator.Options{Seed: 1, Faults: map[string]simulator.Fault{"catalog": f}})
	return s, c, s.URL("catalog") + tent
}

func heal(t testing.TB, s *simulator.Simulator) {
	t.Helper()
	if err := s.SetFault("catalog", simulator.Fault{}); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request in the background and returns where its end is told.
func ask(ctx context.Context, c *http.Client, url string) <-chan error {
	done := make(chan error, 1)
	go func() {
		r, err := send(ctx, c, http.MethodGet, url, nil)
		if err == nil && r.status != http.StatusOK {
			err = errors.New(http.StatusText(r.status))
		}
		done <- err
	}()
	return done
}

func inFlight(s *simulator.Simulator, n int64) func() bool {
	return func() bool { return s.Stats("catalog").InFlight == n }
}

func TestHangEndsWithItsClient(t *testing.T) {
	s, c, url := hurt(t, "hang")
	ctx, leave := context.WithCancel(t.Context())
	done := ask(ctx, c, url)
	eventually(t, patience, "the request hangs", inFlight(s, 1))
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancel", err)
	}
	eventually(t, time.Second, "nothing in flight", inFlight(s, 0))
	if got := s.Stats("catalog"); got.Requests != 1 || got.MaxInFlight != 1 || got.Aborted != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestHangEndsWithItsClientAlsoWithABody(t *testing.T) {
	s, c := start(t, simulator.Options{Faults: map[string]simulator.Fault{"auth": {Hang: true}}})
	ctx, leave := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer leave()
	_, err := send(ctx, c, http.MethodPost, s.URL("auth")+"/introspect", strings.NewReader("token=token-u-7"),
		"Content-Type", "application/x-www-form-urlencoded")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	eventually(t, time.Second, "nothing in flight", func() bool { return s.Stats("auth").InFlight == 0 })
}

func TestHangEndsWhenHealed(t *testing.T) {
	s, c, url := hurt(t, "hang")
	done := ask(t.Context(), c, url)
	eventually(t, patience, "the request hangs", inFlight(s, 1))
	heal(t, s)
	if err := <-done; err != nil {
		t.Errorf("got %v, want the answer", err)
	}
	if got := s.Stats("catalog").Aborted; got != 0 {
		t.Errorf("%d are counted as aborted by the client", got)
	}
}

func TestHangEndsWithClose(t *testing.T) {
	s, c, url := hurt(t, "hang")
	done := ask(t.Context(), c, url)
	eventually(t, patience, "the request hangs", inFlight(s, 1))
	s.Close()
	if err := <-done; err == nil {
		t.Error("got an answer, want a broken connection")
	}
	if got := s.Stats("catalog"); got.InFlight != 0 || got.Aborted != 0 {
		t.Errorf("after Close: %+v", got)
	}
}

func TestResetComesInTheBody(t *testing.T) {
	_, c, url := hurt(t, "reset")
	r, err := send(t.Context(), c, http.MethodGet, url, nil)
	if err == nil {
		t.Fatalf("got all of %d bytes", len(r.body))
	}
	if len(r.body) > 0 && json.Valid(r.body) {
		t.Error("the body is whole")
	}
}

func TestWrongBodies(t *testing.T) {
	tests := []struct {
		fault, contentType string
		wrong              func(body []byte) bool
	}{
		{"truncated", "application/json", func(b []byte) bool { return len(b) > 0 && !json.Valid(b) }},
		{"garbage", "application/json", func(b []byte) bool { return len(b) > 0 && !json.Valid(b) }},
		{"wrongtype", "text/html; charset=utf-8", func(b []byte) bool { return strings.HasPrefix(string(b), "<!doctype") }},
		{"oversize", "application/json", func(b []byte) bool { return len(b) > 8<<20 && json.Valid(b) }},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			_, c, url := hurt(t, tt.fault)
			r := get(t, c, url)
			if r.status != http.StatusOK || r.header.Get("Content-Type") != tt.contentType || !tt.wrong(r.body) {
				t.Errorf("got %d %s, %d bytes: %.100s", r.status, r.header.Get("Content-Type"), len(r.body), r.body)
			}
		})
	}
}

func TestDeep(t *testing.T) {
	_, c, url := hurt(t, "deep")
	body := get(t, c, url).body
	if json.Valid(body) { // encoding/json has a limit of 10,000
		t.Error("the lists are not deep enough")
	}
	const lists = 100_000
	flat := strings.Replace(string(body), strings.Repeat("[", lists)+strings.Repeat("]", lists), "[]", 1)
	if !json.Valid([]byte(flat)) {
		t.Errorf("it is not JSON: %.100s", flat)
	}
}

func TestBomb(t *testing.T) {
	_, c, url := hurt(t, "bomb")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity") // so that the client does not inflate it
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" || len(body) > 2<<20 {
		t.Fatalf("got %d bytes of %q, %v", len(body), resp.Header.Get("Content-Encoding"), err)
	}
	blanks, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, blanks, 2<<30); !errors.Is(err, io.EOF) || n != 1<<30 {
		t.Errorf("it holds %d bytes, %v", n, err)
	}
}

func TestOversizeEndsWithItsClient(t *testing.T) {
	for _, fault := range []string{"oversize", "huge", "bomb"} {
		t.Run(fault, func(t *testing.T) { endsWithItsClient(t, fault) })
	}
}

func endsWithItsClient(t *testing.T, fault string) {
	s, c, url := hurt(t, fault)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "nothing in flight", inFlight(s, 0))
}

func TestStatus(t *testing.T) {
	_, c, url := hurt(t, "status=429")
	r := get(t, c, url)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" || string(r.body) != `{"error":"injected"}` {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
}

func TestErrorRate(t *testing.T) {
	const requests = 1000
	count := func() (failed int) {
		_, c, url := hurt(t, "error=0.3")
		for range requests {
			if get(t, c, url).status == http.StatusInternalServerError {
				failed++
			}
		}
		return failed
	}
	first := count()
	if first < 240 || first > 360 { // four standard deviations
		t.Errorf("%d of %d failed, want about 300", first, requests)
	}
	if again := count(); again != first {
		t.Errorf("%d failed, then %d: the seed does not decide", first, again)
	}
}

func TestLatencyAndSpread(t *testing.T) {
	_, c, url := hurt(t, "latency=30ms,spread=20ms")
	shortest, longest := time.Hour, time.Duration(0)
	for range 20 {
		began := time.Now()
		get(t, c, url)
		took := time.Since(began)
		shortest, longest = min(shortest, took), max(longest, took)
	}
	if shortest < 10*time.Millisecond || longest-shortest < 5*time.Millisecond {
		t.Errorf("answers took %v to %v, want 10ms to 50ms", shortest, longest)
	}
}

func TestCapacityQueuesThenRefuses(t *testing.T) {
	const served, queued, asked = 1, 2, 8
	s, c, url := hurt(t, "capacity=1,queue=2,hang")
	done := make(chan int, asked)
	for range asked {
		go func() {
			r, _ := send(t.Context(), c, http.MethodGet, url, nil) // a failed one has the status 0
			done <- r.status
		}()
	}
	for range asked - served - queued {
		if status := <-done; status != http.StatusServiceUnavailable {
			t.Errorf("got %d of what finds no room", status)
		}
	}
	eventually(t, patience, "one is served, two wait", inFlight(s, served+queued))
	heal(t, s)
	for range served + queued {
		if status := <-done; status != http.StatusOK {
			t.Errorf("got %d after healing", status)
		}
	}
}

func TestCapacityBoundsThroughput(t *testing.T) {
	_, c, url := hurt(t, "capacity=1,queue=3,latency=20ms")
	began := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if r, err := send(t.Context(), c, http.MethodGet, url, nil); err != nil || r.status != http.StatusOK {
				t.Errorf("got %d, %v", r.status, err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took < 80*time.Millisecond {
		t.Errorf("four answers of 20 ms, one at a time, took %v", took)
	}
}

func TestDripIsSlowAndHeals(t *testing.T) {
	s, c, url := hurt(t, "drip=5ms")
	done := ask(t.Context(), c, url)
	select {
	case err := <-done:
		t.Fatalf("800 bytes at 5 ms each came at once (%v)", err)
	case <-time.After(50 * time.Millisecond):
	}
	heal(t, s)
	if err := <-done; err != nil {
		t.Errorf("the rest did not follow: %v", err)
	}
}

func TestManyAbortsLeaveNothing(t *testing.T) {
	s, c, url := hurt(t, "latency=5ms,spread=5ms")
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				ctx, leave := context.WithTimeout(t.Context(), time.Duration(1+(worker+i)%8)*time.Millisecond)
				_, _ = send(ctx, c, http.MethodGet, url, nil) // answered or not, it must not stay
				leave()
			}
		})
	}
	all.Wait()
	eventually(t, time.Second, "nothing in flight", inFlight(s, 0))
	if got := s.Stats("catalog"); got.Aborted == 0 || got.Aborted > got.Requests {
		t.Errorf("got %+v, want some aborted", got)
	}
}
