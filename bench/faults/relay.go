package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// relay passes bytes between those who connect and a server, as late as it is told.
// What follows on a connection is late too, and not slower.
type relay struct {
	to       string
	listener net.Listener
	delay    atomic.Int64 // of each direction

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	all   sync.WaitGroup
}

func newRelay(ctx context.Context, to string) (*relay, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	r := &relay{to: to, listener: listener, conns: map[net.Conn]struct{}{}}
	r.all.Go(func() { r.accept(ctx) })
	return r, nil
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) accept(ctx context.Context) {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return // it was closed
		}
		var dialer net.Dialer
		server, err := dialer.DialContext(ctx, "tcp", r.to)
		if err != nil {
			_ = client.Close() // as the server would have
			continue
		}
		r.keep(client, server)
		r.all.Go(func() { r.pass(client, server) })
		r.all.Go(func() { r.pass(server, client) })
	}
}

func (r *relay) keep(both ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range both {
		r.conns[c] = struct{}{}
	}
}

// pass ends when either side has closed its connection, and then closes both.
func (r *relay) pass(from, to net.Conn) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1024)
	r.all.Go(func() {
		defer func() { _, _ = from.Close(), to.Close() }() // which ends the reading, too
		for p := range pieces {
			<-time.After(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // what it still has to say is taken, and goes nowhere
			}
		}
	})
	defer close(pieces)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			pieces <- piece{append([]byte(nil), buffer[:n]...), time.Now().Add(time.Duration(r.delay.Load()))}
		}
		if err != nil {
			r.drop(from)
			return
		}
	}
}

func (r *relay) drop(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// close ends every connection, and returns when nothing is passed any more.
func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	for c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.all.Wait()
}
