package http

import (
	"strings"

	"github.com/facet-gateway/facet/core/backend/kept"
	"github.com/facet-gateway/facet/core/discovery"
)

// instance is one server of a service, and the connections to it.
type instance struct {
	address string
	prefix  string // of every target
	fixed   string // the end of the request line and the headers that never change
	maxBody int
	conns   *kept.Pool[*conn]
}

func newInstance(of discovery.Instance, o Options) *instance {
	in := &instance{
		address: of.Address,
		prefix:  of.Path,
		fixed:   fixedHeader(strings.TrimSuffix(of.Address, ":80")),
		maxBody: int(o.MaxBody),
	}
	in.conns = kept.NewPool(kept.Options{
		Address: of.Address, MaxConns: o.MaxConns, DialTimeout: o.DialTimeout, IdleTimeout: o.IdleTimeout,
	}, func(c *kept.Conn) *conn { return newConn(in, c) })
	return in
}

func (in *instance) close() { in.conns.Close() }
