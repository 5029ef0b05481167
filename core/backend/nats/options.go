package nats

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what a [Client] is made from. Zero values take the defaults named
// here; negative ones are refused.
type Options struct {
	Service     string      // names the service in causes of failures; required
	Servers     []string    // of one cluster: nats:// or tls://[user:password@]host[:port], port 4222 if none is given; required
	MaxBody     int         // of an answer, in bytes; default 1 MiB, at most 64 MiB
	MaxInFlight int         // calls at once; more fail at once; default 512, at most 65536
	TLS         *tls.Config // of tls:// servers; nil: the system's authorities

	// Told is told when there is a connection (nil) and when there is none any more, or the
	// first attempt fails (why). It has to return soon; nil: nobody is told.
	Told func(error)

	InboxMessages int // of a subscription that are kept for who is slow; default 256, at most 65536
	InboxBytes    int // likewise; default 1 MiB, at most 64 MiB
}

const (
	defaultPort = "4222"
	maxServers  = 100
)

func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, message.DefaultMaxBody)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, message.DefaultMaxInFlight)
	o.InboxMessages = cmp.Or(o.InboxMessages, message.DefaultInboxMessages)
	o.InboxBytes = cmp.Or(o.InboxBytes, message.DefaultInboxBytes)
	return o
}

func (o Options) validate() error {
	switch {
	case o.Service == "":
		return fault.InvalidField("service", "must be named")
	case len(o.Servers) == 0 || len(o.Servers) > maxServers:
		return fault.InvalidField("servers", "must be 1 to 100 URLs")
	case o.MaxBody < 0 || o.MaxBody > message.LargestMaxBody:
		return fault.InvalidField("max_body", "must be 1 to 67108864 bytes")
	case o.MaxInFlight < 0 || o.MaxInFlight > message.LargestMaxInFlight:
		return fault.InvalidField("max_in_flight", "must be 1 to 65536")
	case o.InboxMessages < 0 || o.InboxMessages > message.LargestMaxInFlight:
		return fault.InvalidField("inbox_messages", "must be 1 to 65536")
	case o.InboxBytes < 0 || o.InboxBytes > message.LargestMaxBody:
		return fault.InvalidField("inbox_bytes", "must be 1 to 67108864 bytes")
	}
	for i, server := range o.Servers {
		if err := CheckURL(server); err != nil {
			return fault.InvalidField(fmt.Sprintf("servers[%d]", i), err.Error())
		}
	}
	return nil
}

// CheckURL says what is wrong with the URL of a server. Its errors never repeat what may
// be a secret.
func CheckURL(server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return errors.New("is not a URL of the form nats://[user:password@]host:port")
	}
	shown := *u
	shown.User = nil
	refuse := func(what string) error { return fmt.Errorf("%.200q: %s", shown.String(), what) }
	switch {
	case u.Scheme != "nats" && u.Scheme != "tls":
		return refuse("the scheme must be nats or tls")
	case u.Hostname() == "":
		return refuse("must name a host")
	case !validPort(u.Port()):
		return refuse("the port must be 1 to 65535")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse("must hold no path, no query and no fragment")
	}
	return nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// hostOf returns host:port of a server's URL.
func hostOf(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(u.Hostname(), port)
}
