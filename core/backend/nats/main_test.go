package nats_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

// long is longer than anything here takes.
const long = 20 * time.Second

func TestMain(m *testing.M) { leaktest.Main(m) }

type stock struct {
	ID string `json:"id"`
	N  int    `json:"n"`
}

type query struct {
	ID string `json:"id"`
}

// serve starts a real NATS server on loopback, on a free port unless it is told one.
func serve(t testing.TB, o server.Options) (*server.Server, string) {
	t.Helper()
	o.Host, o.NoLog, o.NoSigs = "127.0.0.1", true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { kill(s) })
	if !s.ReadyForConnections(long) {
		t.Fatal("the NATS server did not start")
	}
	return s, "nats://" + s.Addr().String()
}

func kill(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func portOf(s *server.Server) int { return s.Addr().(*net.TCPAddr).Port }

// peer is another client of the server: a service, or an attacker.
func peer(t testing.TB, url string) *natsgo.Conn {
	t.Helper()
	c, err := natsgo.Connect(url, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(10*time.Millisecond), natsgo.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answers serves a subject.
func answers(t testing.TB, c *natsgo.Conn, subject string, answer func(m *natsgo.Msg) *natsgo.Msg) {
	t.Helper()
	_, err := c.Subscribe(subject, func(m *natsgo.Msg) {
		if a := answer(m); a != nil {
			_ = m.RespondMsg(a)
		}
	})
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// echo answers with what was asked.
func echo(m *natsgo.Msg) *natsgo.Msg { return &natsgo.Msg{Data: m.Data} }

// newClient returns a client that is connected.
func newClient(t testing.TB, o nats.Options) *nats.Client {
	t.Helper()
	c := newAway(t, o)
	soon(t, "it is connected", func() bool { return connected(c) })
	return c
}

func connected(c *nats.Client) bool {
	for _, s := range c.Status() {
		if s.State == "in" {
			return true
		}
	}
	return false
}

// newAway returns a client that need not be connected.
func newAway(t testing.TB, o nats.Options) *nats.Client {
	t.Helper()
	o.Service = "inventory"
	c, err := nats.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// ask asks with a time limit.
func ask(ctx context.Context, c *nats.Client, subject string) (stock, error) {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	return nats.Request[stock](ctx, c, subject, query{"p-1"})
}

// withCall returns a context that belongs to a call of a request, and the call.
func withCall(ctx context.Context) (context.Context, *report.Call) {
	call := report.New("req-7", report.NewTrace()).Begin("inventory.stock")
	return report.WithCall(ctx, call), call
}

// soon polls until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", long, what)
		}
	}
}

func header(pairs ...string) natsgo.Header {
	h := natsgo.Header{}
	for pair := range slices.Chunk(pairs, 2) {
		h[pair[0]] = pair[1:]
	}
	return h
}

func large(n int) []byte { return []byte(`{"id":"` + strings.Repeat("x", n) + `"}`) }
