package grpc

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
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
		o.Balance = balance.DefaultOptions()
		o.Balance.Policy, o.Balance.Outlier.MaxPercent, o.Balance.SlowStart = balance.RoundRobin, 0, 0
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

// listed reads the URLs of instances.
func listed(bases []string) ([]discovery.Instance, error) {
	all := make([]discovery.Instance, len(bases))
	for i, base := range bases {
		u, err := parseBase(base)
		if err != nil {
			return nil, fault.InvalidField(fmt.Sprintf("instances[%d]", i), err.Error())
		}
		all[i] = discovery.Instance{Address: u.Host}
	}
	return all, nil
}

// parseBase reads the URL of an instance. Its errors never repeat what may be a
// password.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("is not a URL of the form grpc://host:port")
	}
	refuse := func(what string) (*url.URL, error) { return nil, fmt.Errorf("%q: %s", u.Redacted(), what) }
	switch bare := (url.URL{Scheme: "grpc", Host: u.Host}); {
	case u.Scheme != "grpc":
		return refuse("the scheme must be grpc")
	case u.User != nil:
		return refuse("must hold no user and no password")
	case u.Hostname() == "" || !visible(u.Host):
		return refuse("must name a host")
	case !validPort(u.Port()):
		return refuse("must name a port, 1 to 65535")
	case bare.String() != base:
		return refuse("must hold nothing after the port")
	}
	return u, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
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
