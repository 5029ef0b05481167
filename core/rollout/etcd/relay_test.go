package etcd_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// relayed is a way to a server that a test may cut.
type relayed struct {
	url    string
	target string

	mu    sync.Mutex
	gone  bool
	conns map[net.Conn]bool
	all   sync.WaitGroup

	mute  atomic.Int64 // answers are held back once so much was sent; 0: never
	asked atomic.Int64 // bytes, since mute was set
}

func relay(t *testing.T, url string) *relayed {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &relayed{url: "http://" + l.Addr().String(), target: strings.TrimPrefix(url, "http://"), conns: make(map[net.Conn]bool)}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *relayed) serve(c net.Conn) {
	defer c.Close() //nolint:errcheck // cut
	if !p.add(c) {
		return
	}
	defer p.remove(c)
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer to.Close() //nolint:errcheck // cut
	if !p.add(to) {
		return
	}
	defer p.remove(to)
	p.all.Go(func() {
		_, _ = io.Copy(counted{to, &p.asked}, c)
		_ = to.Close()
	})
	p.answer(c, to)
}

// counted counts what is written.
type counted struct {
	io.Writer
	n *atomic.Int64
}

func (w counted) Write(text []byte) (int, error) {
	w.n.Add(int64(len(text)))
	return w.Writer.Write(text)
}

// answer sends back what the server says, but what it says after it was muted.
func (p *relayed) answer(c, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if mute := p.mute.Load(); mute > 0 && p.asked.Load() > mute {
			continue
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *relayed) muteAfter(bytes int64) {
	p.asked.Store(0)
	p.mute.Store(bytes)
}

func (p *relayed) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		p.conns[c] = true
	}
	return !p.gone
}

func (p *relayed) remove(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// cut ends all connections, and those to come.
func (p *relayed) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *relayed) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = false
	p.mute.Store(0)
}
