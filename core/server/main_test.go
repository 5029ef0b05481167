package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) {
	if os.Getenv(loadGateway) != "" {
		if err := playGateway(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	leaktest.Main(m, leaktest.Circuits()...)
}

type query struct {
	ID string `query:"id" check:"id,required"`
}

type page struct {
	Title string `json:"title"`
	User  string `json:"user,omitempty"`
	Extra string `json:"extra,omitempty"`
}

// backend is what the test pages are made of: what each id does.
type backend struct {
	mu    sync.Mutex
	calls int
	live  int // calls in progress

	outcome report.Outcome // of the id "command"
	err     error
}

func (b *backend) count() (calls, live int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls, b.live
}

func (b *backend) enter() func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	b.live++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.live--
	}
}

// call answers as the id says.
func (b *backend) call(id string) stream.Stream[string] {
	var key any
	if strings.HasPrefix(id, "shared-") { // asked once in a request, and by a shadow not again
		key = id
	}
	return stream.Source(key, func(ctx context.Context) (string, report.Mark, error) {
		defer b.enter()()
		live := report.Mark{Rung: report.Live}
		switch {
		case id == "hang":
			<-ctx.Done()
			return "", live, context.Cause(ctx)
		case id == "command":
			c := report.From(ctx).Begin("reviews.reviews")
			c.Outcome, c.Err = b.outcome, b.err
			return "", live, b.err
		case id == "panic":
			panic("a defect")
		case id == "stale":
			return "old", report.Mark{Rung: report.Stale, Age: 95 * time.Second, Reason: fault.ReasonTimeout}, nil
		case id == "long":
			return strings.Repeat("word ", 2000), live, nil
		case strings.HasPrefix(id, "fault-"):
			return "", live, faultOf(strings.TrimPrefix(id, "fault-"))
		}
		return "title of " + id, live, nil
	})
}

func faultOf(name string) error {
	for _, r := range fault.Reasons() {
		if r.String() == name {
			return fault.Because(r, errors.New("secret cause"))
		}
	}
	return errors.New("secret cause")
}

func (b *backend) pages(r *adapter.Request, q query) stream.Assembly[page] {
	if q.ID == "panic-page" {
		panic("a defect of the page function")
	}
	return stream.Assemble(
		stream.Required("title", b.call(q.ID), func(p *page, v string) { p.Title = v }),
		stream.Optional("user", stream.Of(r.User), func(p *page, v string) {
			if q.ID == "panic-setter" {
				panic("a defect of a setter")
			}
			p.User = v
		}),
	)
}

// optional is a page whose only call is optional.
func (b *backend) optional(_ *adapter.Request, q query) stream.Assembly[page] {
	return stream.Assemble(stream.Optional("extra", b.call(q.ID), func(p *page, v string) { p.Extra = v }))
}

type fixture struct {
	*server.Server
	options server.Options
	backend *backend
	log     *safeBuffer
}

// safeBuffer is a buffer that the server may write while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *safeBuffer) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(s.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("a log line is not JSON: %q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

func newFixture(t testing.TB, change func(*server.Options)) *fixture {
	t.Helper()
	resolver, err := devices.NewResolver(devices.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{backend: &backend{}, log: &safeBuffer{}}
	o := server.Options{
		Live: server.Live{
			Devices:     resolver,
			Budgets:     map[string]time.Duration{"item": 100 * time.Millisecond, "extra": 100 * time.Millisecond},
			LogRequests: true,
		},
		Fixed: server.Fixed{
			Auth: server.AuthHeader,
			Limits: server.Limits{
				ReadHeaderTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Second,
				MaxHeaderBytes: 16 << 10, MaxHeaderLines: 100, ShutdownTimeout: time.Second, GzipMin: 1400,
			},
			Log: slog.New(slog.NewJSONHandler(f.log, nil)),
		},
	}
	for _, class := range []devices.Class{devices.TV, devices.Phone, devices.Tablet} {
		endpoints := []adapter.Endpoint{adapter.Page("/item", f.backend.pages)}
		if class != devices.TV {
			endpoints = append(endpoints, adapter.Page("/extra", f.backend.optional))
		}
		v, err := adapter.New(class, "v1", endpoints...)
		if err != nil {
			t.Fatal(err)
		}
		o.Versions = append(o.Versions, v)
	}
	if change != nil {
		change(&o)
	}
	f.options = o
	if f.Server, err = server.New(o); err != nil {
		t.Fatal(err)
	}
	return f
}

// do sends a request with header lines of the form "Name: value".
func (f *fixture) do(method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	return w.Result() //nolint:bodyclose // a recorder's body needs no closing
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// problemOf decodes a problem and checks what every problem has.
func problemOf(t *testing.T, r *http.Response) map[string]any {
	t.Helper()
	text := body(t, r)
	var p map[string]any
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("not a problem: %q", text)
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q", got)
	}
	if p["request_id"] != r.Header.Get("X-Request-Id") || p["request_id"] == "" {
		t.Fatalf("request id %v, header %q", p["request_id"], r.Header.Get("X-Request-Id"))
	}
	if int(p["status"].(float64)) != r.StatusCode || p["type"] != "urn:facet:problem:"+p["code"].(string) {
		t.Fatalf("%v with status %d", p, r.StatusCode)
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "goroutine") {
		t.Fatalf("the problem tells a cause: %s", text)
	}
	return p
}

// lateness watches how late the machine wakes anybody; what it returns says the most of
// it since then, for bounds of the wall clock to have that much room.
func lateness(t *testing.T) func() time.Duration {
	t.Helper()
	const each = 10 * time.Millisecond
	var most atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for due := time.Now().Add(each); ; due = time.Now().Add(each) {
			select {
			case <-time.After(each):
				most.Store(max(most.Load(), int64(time.Since(due))))
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return func() time.Duration { return time.Duration(most.Load()) }
}
