package thrift

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
	case o.MaxConns < 0:
		return fault.InvalidField("max_conns", "must be 1 or more")
	case o.IdleTimeout < 0:
		return fault.InvalidField("idle_timeout", "must be over 0s")
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
		return nil, errors.New("is not a URL of the form thrift://host:port")
	}
	refuse := func(what string) (*url.URL, error) { return nil, fmt.Errorf("%q: %s", u.Redacted(), what) }
	switch bare := (url.URL{Scheme: "thrift", Host: u.Host}); {
	case u.Scheme != "thrift":
		return refuse("the scheme must be thrift")
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

// visible reports whether s is visible ASCII, at least one character.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}
