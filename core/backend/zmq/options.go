package zmq

import (
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what a [Client] is made from. Zero values take the defaults named
// here; negative ones are refused.
type Options struct {
	Service     string        // names the service in causes of failures; required
	Instances   []string      // tcp://host:port of ROUTER sockets; none: Update says which there are
	MaxBody     int           // of an answer, in bytes; default 1 MiB, at most 64 MiB
	MaxInFlight int           // calls at once per instance; more fail at once; default 512, at most 65536
	DialTimeout time.Duration // of one connection attempt, and again of its handshake; default 1 s

	// Balance is how an instance is chosen; default: in turn, and none is ejected. Its
	// Check asks whether there is a connection.
	Balance balance.Options
}

const defaultDialTimeout = time.Second

func (o Options) withDefaults() Options {
	if o.MaxBody == 0 {
		o.MaxBody = message.DefaultMaxBody
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = message.DefaultMaxInFlight
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
	case o.MaxBody < 0 || o.MaxBody > message.LargestMaxBody:
		return fault.InvalidField("max_body", "must be 1 to 67108864 bytes")
	case o.MaxInFlight < 0 || o.MaxInFlight > message.LargestMaxInFlight:
		return fault.InvalidField("max_in_flight", "must be 1 to 65536")
	case o.DialTimeout < 0:
		return fault.InvalidField("dial_timeout", "must be over 0s")
	}
	return nil
}
