package thrift

import (
	"errors"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/kept"
	"github.com/facet-gateway/facet/core/discovery"
)

var errPath = errors.New("has a path, and Thrift knows none")

// instance is one server of a service, and the connections to it.
type instance struct {
	address    string
	maxMessage int
	limits     *lib.TConfiguration // of what is decoded
	conns      *kept.Pool[*conn]
}

func newInstance(of discovery.Instance, o Options) (*instance, error) {
	if of.Path != "" {
		return nil, errPath
	}
	most := int32(o.MaxMessage) //nolint:gosec // at most 1 GiB
	in := &instance{
		address:    of.Address,
		maxMessage: o.MaxMessage,
		limits:     &lib.TConfiguration{MaxMessageSize: most, MaxFrameSize: most, MaxContainerSize: most},
	}
	in.conns = kept.NewPool(kept.Options{
		Address: of.Address, MaxConns: o.MaxConns, DialTimeout: o.DialTimeout, IdleTimeout: o.IdleTimeout,
	}, func(c *kept.Conn) *conn { return newConn(in, c) })
	return in, nil
}

func (in *instance) close() { in.conns.Close() }
