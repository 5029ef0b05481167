package kept_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/kept"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const line = "hello\n"

// member is the least that a protocol adds: it reads lines.
type member struct {
	*kept.Conn

	reader *bufio.Reader
}

func newPool(t *testing.T, address string, most int, idle time.Duration) *kept.Pool[*member] {
	t.Helper()
	p := kept.NewPool(kept.Options{Address: address, MaxConns: most, DialTimeout: time.Second, IdleTimeout: idle},
		func(c *kept.Conn) *member { return &member{c, bufio.NewReader(c)} })
	t.Cleanup(p.Close)
	return p
}

// exchange has one line come back.
func (m *member) exchange(ctx context.Context) (string, error) {
	m.Begin(ctx, time.Now(), time.Second)
	if err := m.Send([]byte(line)); err != nil {
		return "", err //nolint:wrapcheck // of the connection under test
	}
	return m.reader.ReadString('\n') //nolint:wrapcheck // as above
}

// serve answers each connection as answer does, and tells of each that ended.
func serve(t *testing.T, answer func(net.Conn, *bufio.Reader)) (address string, ended chan struct{}) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan struct{}, 16)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = nc.Close(); ended <- struct{}{} }()
				answer(nc, bufio.NewReader(nc))
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-over })
	return l.Addr().String(), ended
}

func echo(nc net.Conn, from *bufio.Reader) {
	for {
		said, err := from.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = nc.Write([]byte(said))
	}
}

func acquire(t *testing.T, p *kept.Pool[*member]) *member {
	t.Helper()
	m, err := p.Acquire(t.Context(), time.Now(), true)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func told(t *testing.T, of <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-of:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: it has not happened", what)
	}
}

func TestTheNewestConnectionServesAgain(t *testing.T) {
	address, _ := serve(t, echo)
	p := newPool(t, address, 2, time.Minute)
	first, second := acquire(t, p), acquire(t, p)
	for _, m := range []*member{first, second} {
		if said, err := m.exchange(t.Context()); said != line || err != nil {
			t.Fatalf("got %q, %v", said, err)
		}
		p.Release(m, m.End())
	}
	m := acquire(t, p)
	defer p.Release(m, false)
	if m != second {
		t.Error("it is not the one that was used last")
	}
	if said, err := m.exchange(t.Context()); said != line || err != nil {
		t.Errorf("got %q, %v", said, err)
	}
}

func TestNoMoreConnectionsThanAllowed(t *testing.T) {
	address, ended := serve(t, echo)
	p := newPool(t, address, 2, time.Minute)
	first, second := acquire(t, p), acquire(t, p)
	defer p.Release(second, false)
	if m, err := p.Acquire(t.Context(), time.Now(), true); err == nil {
		t.Fatalf("got a third one, %v", m)
	}
	p.Release(first, true)
	third, err := p.Acquire(t.Context(), time.Now(), false)
	if err != nil {
		t.Fatalf("the unused one does not make room: %v", err)
	}
	defer p.Release(third, false)
	told(t, ended, "the unused one is closed")
}

func TestAnUnusedConnectionIsClosed(t *testing.T) {
	address, ended := serve(t, echo)
	p := newPool(t, address, 2, 20*time.Millisecond)
	p.Release(acquire(t, p), true)
	told(t, ended, "the unused one is closed")
}

func TestAClosedPoolKeepsNothing(t *testing.T) {
	address, ended := serve(t, echo)
	p := newPool(t, address, 2, time.Minute)
	m := acquire(t, p)
	p.Close()
	p.Release(m, true)
	told(t, ended, "the released one is closed")
	if _, err := p.Acquire(t.Context(), time.Now(), true); err == nil {
		t.Error("it connects again")
	}
}

// TestWhatNobodyAskedForReachesNobody: a kept connection that says something before it
// is asked does not serve again, and nothing is sent on it.
func TestWhatNobodyAskedForReachesNobody(t *testing.T) {
	for name, end := range map[string]func(net.Conn){
		"it says more":  func(nc net.Conn) { _, _ = nc.Write([]byte("evil\n")) },
		"it has closed": func(nc net.Conn) { _ = nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			released, did := make(chan struct{}), make(chan struct{})
			address, _ := serve(t, func(nc net.Conn, from *bufio.Reader) {
				said, _ := from.ReadString('\n')
				_, _ = nc.Write([]byte(said))
				<-released
				end(nc)
				close(did)
				_, _ = from.ReadString('\n')
			})
			p := newPool(t, address, 2, time.Minute)
			m := acquire(t, p)
			if said, err := m.exchange(t.Context()); said != line || err != nil {
				t.Fatalf("got %q, %v", said, err)
			}
			p.Release(m, m.End())
			close(released)
			told(t, did, "the server's part")
			time.Sleep(20 * time.Millisecond) // for loopback to carry it
			m = acquire(t, p)
			if said, err := m.exchange(t.Context()); !errors.Is(err, kept.ErrSpoiled) || !m.Spoiled() {
				t.Errorf("got %q, %v", said, err)
			}
			p.Release(m, false)
		})
	}
}

// TestAnExchangeEndsWithItsContext, and its connection with it, before and after the
// time in which a deadline alone watches.
func TestAnExchangeEndsWithItsContext(t *testing.T) {
	address, ended := serve(t, func(_ net.Conn, from *bufio.Reader) {
		for {
			if _, err := from.ReadString('\n'); err != nil {
				return
			}
		}
	})
	p := newPool(t, address, 2, time.Minute)
	for _, after := range []time.Duration{time.Millisecond, 60 * time.Millisecond} {
		m := acquire(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(after, cancel)
		began := time.Now()
		if said, err := m.exchange(ctx); err == nil {
			t.Errorf("got %q", said)
		}
		if took := time.Since(began); took > after+500*time.Millisecond {
			t.Errorf("it ended after %v", took)
		}
		timer.Stop()
		p.Release(m, m.End() && m.Lost() == nil)
		told(t, ended, "the connection is closed")
	}
}
