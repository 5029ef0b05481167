package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// ticker is what live endpoints of the tests follow: numbers that somebody tells.
type ticker struct {
	*stream.Hub[string, int]
	mu   sync.Mutex
	subs map[string]func(int)
}

func newTicker(t testing.TB) *ticker {
	t.Helper()
	k := &ticker{subs: map[string]func(int){}}
	k.Hub = stream.NewHub(stream.HubOptions[int]{State: true, Linger: 50 * time.Millisecond, Bytes: func(int) int { return 64 }}, k.open)
	t.Cleanup(func() {
		if n := k.Close(); n > 0 {
			t.Errorf("%d upstreams run on", n)
		}
	})
	return k
}

func (k *ticker) open(ctx context.Context, id string, told func(int)) error {
	switch id {
	case "unknown":
		return fault.New(fault.NotFound, "there is no such product")
	case "broken":
		return errors.New("secret cause")
	case "quiet": // is subscribed to, and tells nothing yet
	default:
		told(0)
	}
	k.mu.Lock()
	k.subs[id] = told
	k.mu.Unlock()
	<-ctx.Done()
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.subs, id)
	return nil
}

// tell tells a number to those who follow, once somebody does.
func (k *ticker) tell(t *testing.T, id string, n int) {
	t.Helper()
	waitUntil(t, func() bool { return k.try(id, n) })
}

func (k *ticker) try(id string, n int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	told := k.subs[id]
	if told != nil {
		told(n)
	}
	return told != nil
}

// waitFor fails the test unless something holds within a time.
func waitFor(t *testing.T, d time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.After(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("it did not happen within %v", d)
		case <-tick.C:
		}
	}
}

type tick struct {
	N    int    `json:"n"`
	Word string `json:"word,omitempty"`
}

// liveFixture is a server whose devices follow a ticker, each in its own shape.
type liveFixture struct {
	*fixture
	ticker *ticker
	url    string
	stop   context.CancelFunc
	served <-chan error
}

func newLive(t *testing.T, change func(*server.Options)) *liveFixture {
	t.Helper()
	l := &liveFixture{ticker: newTicker(t)}
	follow := func(_ *adapter.Request, q query) stream.Feed[int] {
		if q.ID == "panic" {
			panic("a defect")
		}
		return l.ticker.Feed(q.ID)
	}
	l.fixture = newFixture(t, func(o *server.Options) {
		o.Versions = nil
		for _, class := range []devices.Class{devices.TV, devices.Phone, devices.Tablet} {
			v, err := adapter.New(class, "v1",
				adapter.Page("/item", l.backendOf().pages),
				adapter.Live("/live/tick", follow, func(n int) tick {
					if n < 0 {
						panic("a defect of a shape")
					}
					return tick{n, map[bool]string{true: string(class), false: strings.Repeat("x", n/1000)}[n < 1000]}
				}))
			if err != nil {
				t.Fatal(err)
			}
			o.Versions = append(o.Versions, v)
		}
		o.Clients = server.Clients{Max: 200, Heartbeat: 15 * time.Second}
		o.Limits.ShutdownTimeout = 5 * time.Second
		o.CORS.Origins = []string{"https://tv.example"}
		if change != nil {
			change(o)
		}
	})
	ln, stop, served := serving(t, l.fixture)
	l.url, l.stop, l.served = "http://"+ln.Addr().String(), stop, served
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("the stop was not clean: %v", err)
		}
		if n := l.following(); n != 0 {
			t.Errorf("%d follow after the stop", n)
		}
	})
	return l
}

// backendOf makes pages for the fixture that is not made yet.
func (l *liveFixture) backendOf() *backend { return &backend{} }

func (l *liveFixture) following() (n int) {
	for _, classes := range l.Clients().Clients {
		for _, of := range classes {
			n += of
		}
	}
	return n
}

// sse is a client of server-sent events.
type sse struct {
	*http.Response
	lines *bufio.Scanner
	close func()
}

// open asks for a live path with header lines of the form "Name: value".
func (l *liveFixture) open(t *testing.T, path string, header ...string) *sse {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s := &sse{Response: answer, lines: bufio.NewScanner(answer.Body)}
	s.close = sync.OnceFunc(func() {
		cancel()
		_ = answer.Body.Close()
	})
	t.Cleanup(s.close)
	return s
}

// event returns the next event as its lines joined by "|", without its id; comments are
// left out. An empty one is the end.
func (s *sse) event(t testing.TB) (event, id string) {
	t.Helper()
	var lines []string
	timeout := time.AfterFunc(20*time.Second, s.close)
	defer timeout.Stop()
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case line == "" && len(lines) > 0:
			return strings.Join(lines, "|"), id
		case strings.HasPrefix(line, "id: "):
			id = strings.TrimPrefix(line, "id: ")
		case line != "" && !strings.HasPrefix(line, ":"):
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "|"), id
}

func (s *sse) want(t testing.TB, events ...string) (id string) {
	t.Helper()
	for _, want := range events {
		var got string
		if got, id = s.event(t); got != want {
			t.Fatalf("got the event %q, want %q", got, want)
		}
	}
	return id
}

// phoneTick is an event as a phone gets it.
func phoneTick(n int) string { return fmt.Sprintf(`event: tick|data: {"n":%d,"word":"phone"}`, n) }

const missed = "event: gap|data: {}"

func TestEventsAreShapedForTheDevice(t *testing.T) {
	l := newLive(t, nil)
	for _, class := range []string{"tv", "phone", "tablet"} {
		byHeader := l.open(t, "/live/tick?id=a", "X-Device-Type: "+class)
		byQuery := l.open(t, "/live/tick?id=a&device="+class, "X-Request-Id: r-1")
		both := l.open(t, "/live/tick?id=a&device="+class, "X-Device-Type: "+class)
		for _, s := range []*sse{byHeader, byQuery, both} {
			s.want(t, fmt.Sprintf(`event: tick|data: {"n":0,"word":%q}`, class))
		}
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
			"Facet-Adapter": class + "/v1", "X-Request-Id": "r-1", "Content-Encoding": "",
		} {
			if got := byQuery.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if stats := l.ticker.Stats(); stats.Keys != 1 || stats.Followers != 9 || l.following() != 9 {
		t.Errorf("%+v, %d follow", stats, l.following())
	}
}

func TestManyShareOneSubscription(t *testing.T) {
	l := newLive(t, nil)
	clients := make([]*sse, 100)
	for i := range clients {
		clients[i] = l.open(t, "/live/tick?id=a&device=phone")
	}
	for _, s := range clients {
		s.want(t, phoneTick(0))
	}
	l.ticker.tell(t, "a", 1)
	for _, s := range clients {
		s.want(t, phoneTick(1))
	}
	if stats := l.ticker.Stats(); stats.Opens != 1 || stats.Keys != 1 || stats.Followers != 100 {
		t.Errorf("%+v", stats)
	}
	for _, s := range clients {
		s.close()
	}
	waitUntil(t, func() bool {
		stats := l.ticker.Stats()
		return stats.Keys == 0 && stats.Followers == 0 && l.following() == 0
	})
	stats := l.Clients()
	if stats.Events != 200 || stats.Ended[server.EndLeft] != 100 {
		t.Errorf("%+v", stats)
	}
	waitUntil(t, func() bool { return len(l.log.lines(t)) == 100 })
	line := l.log.lines(t)[0]
	for name, want := range map[string]any{"transport": "sse", "events": 2.0, "ended": "left", "page": "live/tick", "status": 200.0} {
		if line[name] != want {
			t.Errorf("the log has %s: %v, want %v", name, line[name], want)
		}
	}
}

func TestEventsResume(t *testing.T) {
	l := newLive(t, nil)
	stays := l.open(t, "/live/tick?id=a&device=phone")
	stays.want(t, phoneTick(0))
	goes := l.open(t, "/live/tick?id=a&device=phone")
	id := goes.want(t, phoneTick(0))
	goes.close()
	for n := range 3 {
		l.ticker.tell(t, "a", n+1)
	}
	stays.want(t, phoneTick(1), phoneTick(2), phoneTick(3))
	back := l.open(t, "/live/tick?id=a&device=phone&after=0-0", "Last-Event-ID: "+id)
	last := back.want(t, phoneTick(1), phoneTick(2), phoneTick(3))
	l.open(t, "/live/tick?id=a&device=phone&after="+id).want(t, phoneTick(1), phoneTick(2), phoneTick(3))
	l.open(t, "/live/tick?id=a&device=phone", "Last-Event-ID: other-17").want(t, missed, phoneTick(3))
	for n := range 80 {
		l.ticker.tell(t, "a", n+4)
	}
	l.open(t, "/live/tick?id=a&device=phone&after="+last).want(t, missed, phoneTick(83))
}

func TestWhatIsLiveIsRefused(t *testing.T) {
	l := newLive(t, func(o *server.Options) { o.RetryAfter = 3 * time.Second })
	cases := []struct {
		name, path string
		header     []string
		status     int
		field      string
	}{
		{"no id", "/live/tick", nil, 400, "id"},
		{"a bad id", "/live/tick?id=a/b", nil, 400, "id"},
		{"two ids", "/live/tick?id=a&id=b", nil, 400, "id"},
		{"an unknown device", "/live/tick?id=a&device=fridge", nil, 400, "device"},
		{"two devices", "/live/tick?id=a&device=tv&device=tv", nil, 400, "device"},
		{"an empty device", "/live/tick?id=a&device=", nil, 400, "device"},
		{"a contradiction", "/live/tick?id=a&device=tv", []string{"X-Device-Type: phone"}, 400, "device"},
		{"an unknown header", "/live/tick?id=a", []string{"X-Device-Type: fridge"}, 400, "X-Device-Type"},
		{"a bad user", "/live/tick?id=a", []string{"X-User-Id: a b"}, 400, "X-User-Id"},
		{"a long id", "/live/tick?id=a", []string{"Last-Event-ID: " + strings.Repeat("x", 65)}, 400, "Last-Event-Id"},
		{"two afters", "/live/tick?id=a&after=1&after=2", nil, 400, "after"},
		{"an unknown product", "/live/tick?id=unknown", nil, 404, ""},
		{"a broken upstream", "/live/tick?id=broken", nil, 500, ""},
		{"a panic", "/live/tick?id=panic", nil, 500, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := l.open(t, c.path, c.header...)
			p := problemOf(t, s.Response)
			if got, _ := p["field"].(string); s.StatusCode != c.status || got != c.field {
				t.Errorf("status %d, %v; want %d, field %q", s.StatusCode, p, c.status, c.field)
			}
		})
	}
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodDelete} {
		if r := l.do(method, "/live/tick?id=a"); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, OPTIONS" {
			t.Errorf("%s: %d, %v", method, r.StatusCode, r.Header)
		}
	}
	if r := l.do(http.MethodOptions, "/live/tick", "Origin: https://tv.example", "Access-Control-Request-Method: GET"); r.StatusCode != 204 ||
		!strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Last-Event-ID") {
		t.Errorf("a preflight: %d, %v", r.StatusCode, r.Header)
	}
	waitUntil(t, func() bool { return l.following() == 0 && l.ticker.Stats().Followers == 0 })
	// Who asks for what is not there is no failure of an upstream, and a fault of nobody else.
	ended := l.Clients().Ended
	if failures := l.ticker.Stats().Failures; failures != 1 || ended[server.EndFault] != 1 || ended[server.EndRefused] != 1 {
		t.Errorf("%d failures, %v", failures, ended)
	}
}

func TestBoundsOfClients(t *testing.T) {
	l := newLive(t, func(o *server.Options) {
		o.Clients = server.Clients{Max: 3, MaxPerUser: 1, Heartbeat: time.Second}
		o.RetryAfter = 3 * time.Second
	})
	ada := l.open(t, "/live/tick?id=a", "X-User-Id: ada")
	ada.want(t, phoneTick(0))
	refused := func(status int, header ...string) {
		t.Helper()
		s := l.open(t, "/live/tick?id=a", header...)
		problemOf(t, s.Response)
		if s.StatusCode != status || s.Header.Get("Retry-After") != "3" {
			t.Errorf("status %d, Retry-After %q; want %d", s.StatusCode, s.Header.Get("Retry-After"), status)
		}
	}
	refused(429, "X-User-Id: ada")
	l.open(t, "/live/tick?id=a").want(t, phoneTick(0))
	l.open(t, "/live/tick?id=a").want(t, phoneTick(0))
	refused(503)
	ada.close()
	waitUntil(t, func() bool { return l.following() == 2 })
	l.open(t, "/live/tick?id=a", "X-User-Id: ada").want(t, phoneTick(0))
}

func TestHeartbeatsOfEvents(t *testing.T) {
	l := newLive(t, func(o *server.Options) {
		o.Clients.Heartbeat = 300 * time.Millisecond
		o.Limits.WriteTimeout, o.Limits.ReadTimeout = 500*time.Millisecond, 500*time.Millisecond // of pages
	})
	s := l.open(t, "/live/tick?id=quiet")
	beats := 0
	for s.lines.Scan() && beats < 5 { // the first one begins the answer
		if s.lines.Text() == ":" {
			beats++
		}
	}
	if beats < 5 {
		t.Fatalf("%d heartbeats, then the end", beats)
	}
	l.ticker.tell(t, "quiet", 7)
	s.want(t, phoneTick(7))
}

// TestClientsOfEventsThatSendTooMuch are cut off; a little more than the request is ignored.
func TestClientsOfEventsThatSendTooMuch(t *testing.T) {
	l := newLive(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it was only read
	if _, err := io.WriteString(conn, "GET /live/tick?id=a&device=tv HTTP/1.1\r\nHost: x\r\n\r\n"+strings.Repeat("x", 1<<10)); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return l.following() == 1 })
	l.ticker.tell(t, "a", 1)
	waitUntil(t, func() bool { return l.Clients().Events == 2 })
	_, _ = io.WriteString(conn, strings.Repeat("x", 64<<10)) // it may be cut off meanwhile
	waitUntil(t, func() bool { return l.Clients().Ended[server.EndProtocol] == 1 })
}

// TestEventsOfHTTP10: there are no chunks then, and the connection says where it ends.
func TestEventsOfHTTP10(t *testing.T) {
	l := newLive(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it was only read
	if _, err := io.WriteString(conn, "GET /live/tick?id=a&device=tv HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return l.following() == 1 })
	l.ticker.tell(t, "a", 1)
	waitUntil(t, func() bool { return l.Clients().Events == 2 })
	l.stop()
	text, err := io.ReadAll(conn)
	header, body, _ := strings.Cut(string(text), "\r\n\r\n")
	if err != nil || strings.Contains(header, "chunked") || !strings.Contains(header, "Connection: close") {
		t.Errorf("%v, %s", err, header)
	}
	if !strings.HasPrefix(body, ":\n\nid: ") || strings.Count(body, "event: tick\n") != 2 ||
		!strings.HasSuffix(body, "{\"reason\":\"drain\"}\n\n") {
		t.Errorf("%q", body)
	}
}

func TestDrainEndsEvents(t *testing.T) {
	l := newLive(t, nil)
	s := l.open(t, "/live/tick?id=a")
	s.want(t, phoneTick(0))
	l.stop()
	event, _ := s.event(t)
	if !strings.HasPrefix(event, "retry: ") || !strings.HasSuffix(event, `|event: bye|data: {"reason":"drain"}`) {
		t.Errorf("the end is %q", event)
	}
	if rest, err := io.ReadAll(s.Body); err != nil || s.lines.Scan() {
		t.Errorf("then %q, %v", rest, err)
	}
	waitUntil(t, func() bool { return l.Clients().Ended[server.EndDrain] == 1 })
}

func TestAFaultEndsEvents(t *testing.T) {
	l := newLive(t, nil)
	s := l.open(t, "/live/tick?id=a")
	s.want(t, phoneTick(0))
	l.ticker.tell(t, "a", -1)
	if event, _ := s.event(t); !strings.HasSuffix(event, `|event: bye|data: {"reason":"fault"}`) {
		t.Errorf("the end is %q", event)
	}
	waitUntil(t, func() bool { return strings.Contains(l.log.String(), "a defect of a shape") })
}

// TestSlowEventsAreDropped: a client that reads nothing is told why when it reads at last.
func TestSlowEventsAreDropped(t *testing.T) {
	t.Parallel()
	l := newLive(t, nil)
	s := l.open(t, "/live/tick?id=a&device=phone")
	s.want(t, phoneTick(0))
	late := lateness(t)
	began := time.Now()
	stop := l.flood(t, "a")
	waitFor(t, 20*time.Second, func() bool { return l.Clients().Ended[server.EndSlow] == 1 })
	stop()
	if took := time.Since(began); took < 7*time.Second || took > 11*time.Second+late() {
		t.Errorf("it was dropped after %v", took)
	}
	last := ""
	for event, _ := s.event(t); event != ""; event, _ = s.event(t) {
		last = event
	}
	if !strings.HasSuffix(last, `|event: bye|data: {"reason":"slow"}`) {
		t.Errorf("the last event is %.100q", last)
	}
}

// flood tells large values until it is stopped.
func (l *liveFixture) flood(t *testing.T, id string) (stop func()) {
	t.Helper()
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		every := time.NewTicker(2 * time.Millisecond)
		defer every.Stop()
		for n := 8_000_000; ; n++ {
			select {
			case <-ended:
				return
			case <-every.C:
				l.ticker.try(id, n)
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(ended); <-stopped })
	t.Cleanup(stop)
	return stop
}
