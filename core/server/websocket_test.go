package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/facet-gateway/facet/core/server"
)

// socket is a client of WebSocket.
type socket struct{ *websocket.Conn }

// dial connects with header lines of the form "Name: value"; a refusal is returned.
func (l *liveFixture) dial(t *testing.T, path string, header ...string) (*socket, *http.Response) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	o := &websocket.DialOptions{HTTPHeader: http.Header{}, HTTPClient: &http.Client{Transport: transport}}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		o.HTTPHeader.Add(name, value)
	}
	c, r, err := websocket.Dial(t.Context(), strings.Replace(l.url, "http", "ws", 1)+path, o)
	if err != nil {
		return nil, r
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return &socket{c}, r
}

func (s *socket) read(t *testing.T) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	kind, text, err := s.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		t.Errorf("a message of kind %v", kind)
	}
	return string(text), err
}

// want reads messages and compares them, less their ids.
func (s *socket) want(t *testing.T, messages ...string) (id string) {
	t.Helper()
	for _, want := range messages {
		got, err := s.read(t)
		if rest, has := strings.CutPrefix(got, `{"id":"`); has {
			id, rest, _ = strings.Cut(rest, `",`)
			got = "{" + rest
		}
		if got != want || err != nil {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	return id
}

// ends reads up to the close frame, and wants it to be of a code with a reason.
func (s *socket) ends(t *testing.T, code websocket.StatusCode, reason string) {
	t.Helper()
	var err error
	for err == nil {
		_, err = s.read(t)
	}
	if websocket.CloseStatus(err) != code || !strings.Contains(err.Error(), reason) {
		t.Errorf("it ended with %v; want %d, %s", err, code, reason)
	}
}

func tabletTick(n int) string {
	return fmt.Sprintf(`{"event":"tick","data":{"n":%d,"word":"tablet"}}`, n)
}

func TestWebSocket(t *testing.T) {
	l := newLive(t, nil)
	s, r := l.dial(t, "/live/tick?id=a&device=tablet", "X-Request-Id: r-1")
	if r.StatusCode != 101 || r.Header.Get("X-Request-Id") != "r-1" || r.Header.Get("Facet-Adapter") != "tablet/v1" ||
		r.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
	s.want(t, tabletTick(0))
	l.ticker.tell(t, "a", 1)
	id := s.want(t, tabletTick(1))
	if err := s.Write(t.Context(), websocket.MessageText, []byte("hello, ☃")); err != nil {
		t.Error(err) // it is heard, and means nothing
	}
	l.ticker.tell(t, "a", 2)
	s.want(t, tabletTick(2))
	back, _ := l.dial(t, "/live/tick?id=a&device=tablet&after="+id)
	back.want(t, tabletTick(2))
	back, _ = l.dial(t, "/live/tick?id=a&device=tablet&after=unknown-1")
	back.want(t, `{"event":"gap","data":{}}`, tabletTick(2))
	if stats := l.Clients(); stats.Clients["websocket"]["tablet"] != 3 {
		t.Errorf("%+v", stats)
	}
	go func() { _, _, _ = back.Read(context.Background()) }() // hears the answer to its close
	if err := s.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("the close was not answered: %v", err)
	}
	waitUntil(t, func() bool { return l.Clients().Ended[server.EndLeft] == 1 })
	waitUntil(t, func() bool { return len(l.log.lines(t)) == 1 })
	line := l.log.lines(t)[0]
	if line["transport"] != "websocket" || line["events"] != 3.0 || line["ended"] != "left" || line["status"] != 101.0 {
		t.Errorf("the log has %v", line)
	}
}

func TestWebSocketOrigins(t *testing.T) {
	l := newLive(t, nil)
	own := "Origin: " + l.url
	for _, c := range []struct {
		header []string
		status int
	}{
		{nil, 101},
		{[]string{own}, 101},
		{[]string{"Origin: https://tv.example"}, 101},
		{[]string{"Origin: http://tv.example"}, 403},
		{[]string{"Origin: https://evil.example"}, 403},
		{[]string{"Origin: null"}, 403},
		{[]string{own, "Origin: https://evil.example"}, 403},
		{[]string{"Origin: https://tv.example.evil.example"}, 403},
	} {
		_, r := l.dial(t, "/live/tick?id=a", c.header...)
		if r == nil || r.StatusCode != c.status {
			t.Errorf("%v: %v; want %d", c.header, r, c.status)
			continue
		}
		if c.status == 403 {
			if p := problemOf(t, r); p["field"] != "Origin" || p["code"] != "forbidden" {
				t.Errorf("%v: %v", c.header, p)
			}
		}
	}
}

// TestForeignWebSocketsAreNobodys: where cors allows every origin, a page of another one
// follows, but not as the user that a proxy may have made of its cookies.
func TestForeignWebSocketsAreNobodys(t *testing.T) {
	for _, c := range []struct {
		name, origin string
		allowed      []string
		second       int // the status when ada, who may follow once, follows again
	}{
		{"any, foreign", "https://evil.example", []string{"*"}, 101},
		{"any, null", "null", []string{"*"}, 101},
		{"any, of this host", "own", []string{"*"}, 429},
		{"any, no page", "", []string{"*"}, 429},
		{"named", "https://tv.example", []string{"https://tv.example"}, 429},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLive(t, func(o *server.Options) { o.CORS.Origins, o.Clients.MaxPerUser = c.allowed, 1 })
			header := []string{"X-User-Id: ada"}
			if c.origin == "own" {
				c.origin = l.url
			}
			if c.origin != "" {
				header = append(header, "Origin: "+c.origin)
			}
			for i, want := range []int{101, c.second} {
				if _, r := l.dial(t, "/live/tick?id=a", header...); r == nil || r.StatusCode != want {
					t.Errorf("%d: %v; want %d", i, r, want)
				}
			}
		})
	}
}

func TestWebSocketHandshakesThatAreRefused(t *testing.T) {
	l := newLive(t, nil)
	good := []string{
		"Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
	}
	change := func(i int, line string) []string {
		header := append([]string(nil), good...)
		header[i] = line
		return header
	}
	for _, c := range []struct {
		path   string
		header []string
		status int
		field  any
	}{
		{"/live/tick?id=a", change(0, "Connection: keep-alive"), 400, "Connection"},
		{"/live/tick?id=a", change(2, "Sec-WebSocket-Version: 8"), 400, "Sec-WebSocket-Version"},
		{"/live/tick?id=a", change(3, "Sec-WebSocket-Key: short"), 400, "Sec-WebSocket-Key"},
		{"/live/tick?id=a", append(change(3, good[3]), good[3]), 400, "Sec-WebSocket-Key"},
		{"/live/tick?id=a/b", good, 400, "id"},
		{"/live/tick?id=a&device=fridge", good, 400, "device"},
		{"/live/tick?id=unknown", good, 404, nil},
	} {
		r := l.do(http.MethodGet, c.path, c.header...)
		if p := problemOf(t, r); r.StatusCode != c.status || p["field"] != c.field {
			t.Errorf("%s %v: %d, %v", c.path, c.header, r.StatusCode, p)
		}
	}
}

// TestWebSocketsOfHTTP10 are refused before they have a place.
func TestWebSocketsOfHTTP10(t *testing.T) {
	l := newLive(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it was only read
	if _, err := io.WriteString(conn, "GET /live/tick?id=a HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // it was only read
	if p := problemOf(t, r); r.StatusCode != 400 || p["field"] != "Upgrade" {
		t.Errorf("%d, %v", r.StatusCode, p)
	}
	if stats := l.Clients(); len(stats.Ended) != 0 || l.ticker.Stats().Opens != 0 {
		t.Errorf("it followed: %+v", stats)
	}
}

func TestWebSocketClientsThatMisbehave(t *testing.T) {
	l := newLive(t, nil)
	for name, c := range map[string]struct {
		kind websocket.MessageType
		text string
		code websocket.StatusCode
	}{
		"binary":       {websocket.MessageBinary, "x", websocket.StatusUnsupportedData},
		"no UTF-8":     {websocket.MessageText, "\xff\xfe", websocket.StatusInvalidFramePayloadData},
		"a surrogate":  {websocket.MessageText, "\xed\xa0\x80", websocket.StatusInvalidFramePayloadData},
		"too large":    {websocket.MessageText, strings.Repeat("x", 1<<10+1), websocket.StatusMessageTooBig},
		"far too much": {websocket.MessageText, strings.Repeat("x", 1<<18), websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := l.dial(t, "/live/tick?id=a&device=tablet")
			s.want(t, tabletTick(0))
			_ = s.Write(t.Context(), c.kind, []byte(c.text)) // the answer may come before it is all sent
			s.ends(t, c.code, "")
		})
	}
	waitUntil(t, func() bool { return l.Clients().Ended[server.EndProtocol] == 5 && l.following() == 0 })
}

// TestWebSocketsThatSendTooMuch are sent away, and not before.
func TestWebSocketsThatSendTooMuch(t *testing.T) {
	l := newLive(t, nil)
	var pings sync.WaitGroup
	for name, send := range map[string]func(*socket){
		"messages": func(s *socket) { _ = s.Write(t.Context(), websocket.MessageText, []byte("hello")) },
		"pings":    func(s *socket) { pings.Go(func() { _ = s.Ping(t.Context()) }) }, // which waits for the pong
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := l.dial(t, "/live/tick?device=tablet&id="+name)
			s.want(t, tabletTick(0))
			before := l.Clients().Ended[server.EndProtocol]
			for range 64 {
				send(s)
			}
			l.ticker.tell(t, name, 1)
			s.want(t, tabletTick(1))
			send(s)
			s.ends(t, websocket.StatusPolicyViolation, "too many")
			waitUntil(t, func() bool { return l.Clients().Ended[server.EndProtocol] == before+1 })
		})
	}
	pings.Wait()
}

func TestWebSocketHeartbeats(t *testing.T) {
	l := newLive(t, func(o *server.Options) {
		o.Clients.Heartbeat = 300 * time.Millisecond
		o.Limits.WriteTimeout, o.Limits.ReadTimeout = 500*time.Millisecond, 500*time.Millisecond // of pages
	})
	pings := make(chan struct{}, 64)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, _, err := websocket.Dial(t.Context(), strings.Replace(l.url, "http", "ws", 1)+"/live/tick?id=a&device=tablet", &websocket.DialOptions{
		HTTPClient:     &http.Client{Transport: transport},
		OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // it is over
	s := &socket{c}
	s.want(t, tabletTick(0))
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.want(t, tabletTick(7))
	}()
	waitUntil(t, func() bool { return len(pings) >= 3 })
	l.ticker.tell(t, "a", 7)
	<-read
}

// TestWebSocketsThatLeaveWhileAPingWaits: they have left, and were not silent.
func TestWebSocketsThatLeaveWhileAPingWaits(t *testing.T) {
	l := newLive(t, func(o *server.Options) { o.Clients.Heartbeat = 10 * time.Millisecond })
	pings := make(chan struct{}, 64)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for n := range 5 {
		c, _, err := websocket.Dial(t.Context(), strings.Replace(l.url, "http", "ws", 1)+"/live/tick?id=a&device=tablet",
			&websocket.DialOptions{
				HTTPClient:     &http.Client{Transport: transport},
				OnPingReceived: func(context.Context, []byte) bool { pings <- struct{}{}; return false },
			})
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			for _, _, err := c.Read(context.Background()); err == nil; _, _, err = c.Read(context.Background()) {
			}
		}()
		<-pings
		_ = c.CloseNow()
		<-read
		waitUntil(t, func() bool { return l.following() == 0 })
		if stats := l.Clients(); stats.Ended[server.EndLeft] != uint64(n+1) {
			t.Fatalf("%+v", stats)
		}
	}
}

// TestSilentWebSockets: a client that takes all and answers no ping is cut off.
func TestSilentWebSockets(t *testing.T) {
	t.Parallel()
	l := newLive(t, func(o *server.Options) { o.Clients.Heartbeat = 300 * time.Millisecond })
	s, _ := l.dial(t, "/live/tick?id=a&device=tablet")
	s.want(t, tabletTick(0)) // and reads no more, so that no ping is answered
	waitFor(t, 20*time.Second, func() bool { return l.Clients().Ended[server.EndSilent] == 1 })
}

func TestDrainEndsWebSockets(t *testing.T) {
	l := newLive(t, nil)
	s, _ := l.dial(t, "/live/tick?id=a&device=tablet")
	deaf, _ := l.dial(t, "/live/tick?id=a&device=tablet") // does not answer the close
	s.want(t, tabletTick(0))
	deaf.want(t, tabletTick(0))
	l.stop()
	s.ends(t, websocket.StatusGoingAway, "the gateway stops")
	waitUntil(t, func() bool { return l.Clients().Ended[server.EndDrain] == 2 })
}

func TestAFaultEndsWebSockets(t *testing.T) {
	l := newLive(t, nil)
	s, _ := l.dial(t, "/live/tick?id=a&device=tablet")
	s.want(t, tabletTick(0))
	l.ticker.tell(t, "a", -1)
	s.ends(t, websocket.StatusTryAgainLater, "nothing more comes")
}

// TestSlowWebSocketsAreDropped: a client that reads nothing is told why when it reads at last.
func TestSlowWebSocketsAreDropped(t *testing.T) {
	t.Parallel()
	l := newLive(t, nil)
	s, _ := l.dial(t, "/live/tick?id=a&device=tablet")
	s.want(t, tabletTick(0))
	late := lateness(t)
	began := time.Now()
	stop := l.flood(t, "a")
	waitFor(t, 20*time.Second, func() bool { return l.Clients().Ended[server.EndSlow] == 1 })
	stop()
	if took := time.Since(began); took < 7*time.Second || took > 11*time.Second+late() {
		t.Errorf("it was dropped after %v", took)
	}
	s.ends(t, websocket.StatusPolicyViolation, "slow")
}
