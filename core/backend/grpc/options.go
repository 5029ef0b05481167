package grpc

import (
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what a [Client] is made from. Zero values take the defaults named
// here; negative ones are refused.
type Options struct {
	Service     string        // names the service in causes of failures; required
	Instances   []string      // URLs, grpc://host:port; none: Update says which there are
	MaxMessage  int           // of an answer, in bytes; default 1 MiB, at most 1 GiB
	DialTimeout time.Duration // of one connection attempt; default 1 s

	Balance balance.Options // how an instance is chosen; default: in turn, and none is ejected
	Health  string          // the name that checks of Balance.Check ask grpc.health.v1 for; "": the server as a whole
}

const (
	defaultMaxMessage  = 1 << 20
	defaultDialTimeout = time.Second
	largestMaxMessage  = 1 << 30
)

func (o Options) withDefaults() Options {
	if o.MaxMessage == 0 {
		o.MaxMessage = defaultMaxMessage
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
	case o.DialTimeout < 0:
		return fault.InvalidField("dial_timeout", "must be over 0s")
	}
	return nil
}

// visible reports whether s is visible ASCII, at least one character: all that may
// stand in a host, and in metadata.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}
