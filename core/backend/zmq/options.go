package zmq

import (
	"cmp"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
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

	// Where changes are published, for [Subscribe]. At most one of the two is given; neither:
	// there are no subscriptions.
	Publishers    []string // tcp://host:port of PUB sockets, all of which are subscribed to
	PublisherPort int      // of the PUB socket that each instance has on its host; 1 to 65535

	InboxMessages int // of a subscription that are kept for who is slow; default 256, at most 65536
	InboxBytes    int // likewise; default 1 MiB, at most 64 MiB

	// Balance is how an instance is chosen; default: in turn, and none is ejected. Its
	// Check asks whether there is a connection.
	Balance balance.Options
}

const (
	defaultDialTimeout = time.Second
	maxPublishers      = 1000
	maxPort            = 1<<16 - 1
)

func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, message.DefaultMaxBody)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, message.DefaultMaxInFlight)
	o.InboxMessages = cmp.Or(o.InboxMessages, message.DefaultInboxMessages)
	o.InboxBytes = cmp.Or(o.InboxBytes, message.DefaultInboxBytes)
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
	return o.validateLive()
}

// validateLive checks what is of subscriptions.
func (o *Options) validateLive() error {
	switch {
	case o.PublisherPort < 0 || o.PublisherPort > maxPort:
		return fault.InvalidField("publisher_port", "must be 1 to 65535")
	case o.PublisherPort > 0 && len(o.Publishers) > 0:
		return fault.InvalidField("publisher_port", "must not be given beside publishers")
	case len(o.Publishers) > maxPublishers:
		return fault.InvalidField("publishers", "must be at most 1000 URLs")
	case o.InboxMessages < 0 || o.InboxMessages > message.LargestMaxInFlight:
		return fault.InvalidField("inbox_messages", "must be 1 to 65536")
	case o.InboxBytes < 0 || o.InboxBytes > message.LargestMaxBody:
		return fault.InvalidField("inbox_bytes", "must be 1 to 67108864 bytes")
	}
	return nil
}

// listed returns the addresses of the publishers that are.
func (o *Options) listed() ([]discovery.Instance, error) {
	all, err := discovery.Listed("tcp", o.Publishers)
	var f *fault.Error
	if errors.As(err, &f) {
		return nil, fault.InvalidField("publishers"+strings.TrimPrefix(f.Field, "instances"), f.Detail)
	}
	return all, err //nolint:wrapcheck // it names the field
}

// publisherOf returns where an instance publishes; "": nowhere that is known.
func (o *Options) publisherOf(instance string) string {
	host, _, err := net.SplitHostPort(instance)
	if err != nil || o.PublisherPort == 0 {
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(o.PublisherPort))
}

// dialer finds within 8 s that the other end of a connection is gone without a word.
func (o *Options) dialer() net.Dialer {
	return net.Dialer{Timeout: o.DialTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 3,
	}}
}
