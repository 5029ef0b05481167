package server

import (
	"net"
	"net/http"
	"sync"
)

// newcomers are the connections on which no request has come yet. Browsers make
// some in advance, and net/http's shutdown would wait 5 s for each.
type newcomers struct{ conns sync.Map } // of net.Conn

// watch is the ConnState of an http.Server.
func (n *newcomers) watch(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.conns.Store(c, nil)
	case http.StateActive, http.StateHijacked, http.StateClosed:
		n.conns.Delete(c)
	case http.StateIdle: // it has been active
	}
}

// close closes them all. Their goroutines see that, and end.
func (n *newcomers) close() {
	for c := range n.conns.Range {
		if conn, ok := c.(net.Conn); ok {
			_ = conn.Close() // there is nothing on it to lose
		}
	}
}
