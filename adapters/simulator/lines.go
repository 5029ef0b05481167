package simulator

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// lines is a listener of a transport beside HTTP that knows its connections: it can
// break them off.
type lines struct {
	gate
	mu   sync.Mutex
	open map[string]*line // by their client's address
}

// line is one connection.
type line struct {
	net.Conn
	of *lines
}

// listen binds a free port of a host. The context bounds the binding only.
func listen(ctx context.Context, host string, s *service) (*lines, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err //nolint:wrapcheck // the simulator says of which service
	}
	return &lines{gate: gate{Listener: l, service: s}, open: map[string]*line{}}, nil
}

// Accept returns the next connection that finds the service up.
func (l *lines) Accept() (net.Conn, error) {
	for {
		c, err := l.gate.Accept()
		if err != nil {
			return nil, err
		}
		one := &line{Conn: c, of: l}
		l.mu.Lock()
		l.open[c.RemoteAddr().String()] = one
		l.mu.Unlock()
		if !l.service.down() { // it may have fallen since the gate
			return one, nil
		}
		one.breakOff()
	}
}

// drop breaks every connection off.
func (l *lines) drop() {
	l.mu.Lock()
	all := make([]*line, 0, len(l.open))
	for _, one := range l.open {
		all = append(all, one)
	}
	l.mu.Unlock()
	for _, one := range all {
		one.breakOff()
	}
}

// breakOff breaks the connection of one client off.
func (l *lines) breakOff(client string) {
	l.mu.Lock()
	one := l.open[client]
	l.mu.Unlock()
	if one != nil {
		one.breakOff()
	}
}

// Close closes the connection in order.
func (c *line) Close() error {
	c.forget()
	return c.Conn.Close()
}

func (c *line) breakOff() {
	c.forget()
	breakOff(c.Conn)
}

func (c *line) forget() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.of.open, c.RemoteAddr().String())
}

// asRequest is the request over HTTP that a call over another transport equals. target is
// a path and a query, escaped.
func asRequest(ctx context.Context, target string, header http.Header) *http.Request {
	path, query, _ := strings.Cut(target, "?")
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		unescaped = path // whoever calls has escaped it
	}
	r := &http.Request{
		Method: http.MethodGet, RequestURI: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Path: unescaped, RawPath: path, RawQuery: query}, Header: header, Body: http.NoBody,
	}
	return r.WithContext(ctx)
}
