package http

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what a [Client] is made from. Zero values take the defaults named
// here; negative ones are refused.
type Options struct {
	Service     string        // names the service in causes of failures; required
	Instances   []string      // base URLs, http://host:port[/prefix]; none: Update says which there are
	MaxBody     int64         // of an answer, in bytes; default 1 MiB, at most 1 GiB
	MaxConns    int           // open at once per instance; more fail at once; default 512
	IdleTimeout time.Duration // an unused connection is closed after it; default 30 s
	DialTimeout time.Duration // of one connection attempt; default 1 s

	Balance   balance.Options // how an instance is chosen; default: in turn, and none is ejected
	CheckPath string          // of the health check that Balance.Check asks for, after the instance's prefix; "": there is none
}

const (
	defaultMaxBody     = 1 << 20
	defaultMaxConns    = 512
	defaultIdleTimeout = 30 * time.Second
	defaultDialTimeout = time.Second
	largestMaxBody     = 1 << 30
)

func (o Options) withDefaults() Options {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
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
	case o.MaxBody < 0 || o.MaxBody > largestMaxBody:
		return fault.InvalidField("max_body", "must be 1 to 1073741824 bytes")
	case o.MaxConns < 0:
		return fault.InvalidField("max_conns", "must be 1 or more")
	case o.IdleTimeout < 0:
		return fault.InvalidField("idle_timeout", "must be over 0s")
	case o.DialTimeout < 0:
		return fault.InvalidField("dial_timeout", "must be over 0s")
	}
	return nil
}

func instanceFault(i int, err error) error {
	return fault.InvalidField(fmt.Sprintf("instances[%d]", i), err.Error())
}

// parseBase reads the base URL of an instance. Its errors never repeat what
// may be a password.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("is not a URL of the form http://host:port[/prefix]")
	}
	refuse := func(what string) (*url.URL, error) { return nil, fmt.Errorf("%q: %s", u.Redacted(), what) }
	switch {
	case u.Scheme != "http":
		return refuse("the scheme must be http")
	case u.User != nil:
		return refuse("must hold no user and no password")
	case u.Hostname() == "" || !validToken(u.Host):
		return refuse("must name a host")
	case !validPort(u.Port()):
		return refuse("the port must be 1 to 65535")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(base, "#"):
		return refuse("must hold no query and no fragment")
	case !validTarget("/" + u.EscapedPath()):
		return refuse("the prefix holds what a path may not")
	}
	return u, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// dialAddress returns host:port, with HTTP's own port if none is given.
func dialAddress(u *url.URL) string {
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}
