package zmq

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
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
		o.Balance = balance.DefaultOptions()
		o.Balance.Policy, o.Balance.Outlier.MaxPercent, o.Balance.SlowStart = balance.RoundRobin, 0, 0
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

func (o Options) listed() ([]discovery.Instance, error) {
	listed := make([]discovery.Instance, len(o.Instances))
	for i, text := range o.Instances {
		if err := CheckURL(text); err != nil {
			return nil, fault.InvalidField(fmt.Sprintf("instances[%d]", i), err.Error())
		}
		u, err := url.Parse(text)
		if err != nil {
			return nil, fault.InvalidField(fmt.Sprintf("instances[%d]", i), "is not a URL")
		}
		listed[i] = discovery.Instance{Address: u.Host}
	}
	return listed, nil
}

// CheckURL says what is wrong with the URL of an instance. Its errors never repeat what
// may be a password.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("is not a URL of the form tcp://host:port")
	}
	shown := *u
	shown.User = nil
	refuse := func(what string) error { return fmt.Errorf("%.200q: %s", shown.String(), what) }
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Scheme != "tcp":
		return refuse("the scheme must be tcp")
	case u.User != nil:
		return refuse("must hold no user and no password")
	case u.Hostname() == "":
		return refuse("must name a host")
	case err != nil || port == 0:
		return refuse("the port must be 1 to 65535")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse("must hold no path, no query and no fragment")
	}
	return nil
}
