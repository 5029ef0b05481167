package thrift

import (
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what a [Client] is made from. Zero values take the defaults named
// here; negative ones are refused.
type Options struct {
	Service     string        // names the service in causes of failures; required
	Instances   []string      // URLs, thrift://host:port; none: Update says which there are
	MaxMessage  int           // of an answer's frame, in bytes; default 1 MiB, at most 1 GiB
	MaxConns    int           // open at once per instance; more fail at once; default 512
	IdleTimeout time.Duration // an unused connection is closed after it; default 30 s
	DialTimeout time.Duration // of one connection attempt; default 1 s

	// How an instance is chosen; default: in turn, and none is ejected. Its Check asks
	// whether an instance takes a connection.
	Balance balance.Options
}

const (
	defaultMaxMessage  = 1 << 20
	defaultMaxConns    = 512
	defaultIdleTimeout = 30 * time.Second
	defaultDialTimeout = time.Second
	largestMaxMessage  = 1 << 30
)

func (o Options) withDefaults() Options {
	if o.MaxMessage == 0 {
		o.MaxMessage = defaultMaxMessage
	}
	if o.MaxConns == 0 {
		o.MaxConns = defaultMaxConns
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.Balance.Policy == "" {
		o.Balance = balance.InTurn()
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Service == "":
		return fault.InvalidField("service", "must be named")
	case o.MaxMessage < 0 || o.MaxMessage > largestMaxMessage:
		return fault.InvalidField("max_message", "must be 1 to 1073741824 bytes")
	case o.MaxConns < 0:
		return fault.InvalidField("max_conns", "must be 1 or more")
	case o.IdleTimeout < 0:
		return fault.InvalidField("idle_timeout", "must be over 0s")
	case o.DialTimeout < 0:
		return fault.InvalidField("dial_timeout", "must be over 0s")
	}
	return nil
}
