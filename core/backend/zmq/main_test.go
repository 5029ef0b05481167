package zmq_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

// long is longer than anything here takes.
const long = 20 * time.Second

func TestMain(m *testing.M) { leaktest.Main(m) }

type stock struct {
	ID string `json:"id"`
}

type query struct {
	ID string `json:"id"`
}

// peer is a ROUTER that can be killed.
type peer struct {
	address string
	running sync.WaitGroup
	stop    context.CancelFunc
	links   atomic.Int64 // made so far
}

// listen listens at an address, once the one before has left it.
func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	for end := time.Now().Add(long); err != nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
		l, err = net.Listen("tcp", address) // the one before may not have left yet
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve starts a ROUTER on loopback, on a free port unless it is told one. What answer
// returns is sent, each as a message, on the connection that the question came by.
func serve(t testing.TB, address string, answer func(m [][]byte) [][][]byte) *peer {
	t.Helper()
	l := listen(t, address)
	ctx, stop := context.WithCancel(context.Background())
	p := &peer{address: l.Addr().String(), stop: stop}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	p.running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.answer(ctx, nc, answer) })
		}
	})
	t.Cleanup(p.kill)
	return p
}

func (p *peer) answer(ctx context.Context, nc net.Conn, answer func(m [][]byte) [][][]byte) {
	c, err := zmtp.Accept(ctx, nc, zmtp.Limits{Message: 4 << 20, Frames: 8, Shake: long, Write: long})
	if err != nil {
		return
	}
	p.links.Add(1)
	defer c.Close()
	defer context.AfterFunc(ctx, c.Close)()
	for {
		m, err := c.Receive()
		if err != nil {
			return
		}
		for _, a := range answer(m) {
			_ = c.Send(a...)
		}
	}
}

func (p *peer) kill() {
	p.stop()
	p.running.Wait()
}

func (p *peer) url() string { return "tcp://" + p.address }

// echo answers with what was asked.
func echo(m [][]byte) [][][]byte { return [][][]byte{{m[0], nil, m[3]}} }

func never([][]byte) [][][]byte { return nil }

func free(t testing.TB) string {
	t.Helper()
	p := serve(t, "127.0.0.1:0", never)
	p.kill()
	return p.address
}

func newClient(t testing.TB, o zmq.Options) *zmq.Client {
	t.Helper()
	o.Service = "inventory"
	c, err := zmq.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func ask(ctx context.Context, c *zmq.Client, method string) (stock, error) {
	return askFor(ctx, c, method, "p-1", long)
}

func askFor(ctx context.Context, c *zmq.Client, method, id string, within time.Duration) (stock, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return zmq.Request[stock](ctx, c, method, query{id})
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

func large(n int) string { return `{"id":"` + strings.Repeat("x", n) + `"}` }
