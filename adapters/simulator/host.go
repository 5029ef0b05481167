package simulator

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout  = 5 * time.Second // for a request's header to arrive
	bodyTimeout    = 5 * time.Second // for a request's body to arrive
	writeTimeout   = time.Minute     // for an answer to be taken
	idleTimeout    = 2 * time.Minute // of a connection between requests
	maxHeaderBytes = 64 << 10
)

// host is an HTTP server that knows its connections: it can break them all off,
// and when it has ended, the goroutines that served them have ended too.
type host struct {
	server *http.Server
	life   context.Context // ends at Close; it tells that from a client's leaving

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	open  sync.WaitGroup // of conns
}

// newHost has a limit for all that a client could make it wait for.
func newHost(h http.Handler) *host {
	one := &host{conns: map[net.Conn]struct{}{}}
	one.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         one.track,
	}
	return one
}

// serve starts a goroutine in running that serves until life has ended and close
// was called, in this order.
func (h *host) serve(life context.Context, l net.Listener, running *sync.WaitGroup) {
	h.life = life
	h.server.BaseContext = func(net.Listener) context.Context { return life }
	running.Go(func() {
		_ = h.server.Serve(l) // ends with ErrServerClosed
		h.open.Wait()
	})
}

func (h *host) close() { _ = h.server.Close() } // what fails to close is closed already

// track keeps the set of connections. The server calls it on the goroutine of
// Serve with each new one, so none is added once Serve has ended.
func (h *host) track(c net.Conn, to http.ConnState) {
	if to == http.StateActive || to == http.StateIdle {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if to != http.StateNew {
		delete(h.conns, c)
		h.open.Done()
		return
	}
	h.open.Add(1)
	h.conns[c] = struct{}{}
	if h.life.Err() != nil { // the server's Close may have missed it
		breakOff(c)
	}
}

// drop breaks every connection off, as a machine does that falls.
func (h *host) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		breakOff(c)
	}
}

// breakOff closes a connection with a reset instead of an orderly end.
func breakOff(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is merely an orderly one
	}
	_ = c.Close() // the peer may have closed it first
}
