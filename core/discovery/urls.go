package discovery

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/facet-gateway/facet/core/fault"
)

// Listed reads the URLs of instances, each SCHEME://HOST:PORT and nothing more. Its error is
// a [*fault.Error] that names the one at fault, such as "instances[1]", and never repeats
// what may be a password.
func Listed(scheme string, urls []string) ([]Instance, error) {
	all := make([]Instance, len(urls))
	for i, text := range urls {
		u, err := url.Parse(text)
		if err == nil {
			err = instanceFault(scheme, text, u)
		} else {
			err = errors.New("is not a URL of the form " + scheme + "://host:port")
		}
		if err != nil {
			return nil, fault.InvalidField(fmt.Sprintf("instances[%d]", i), err.Error())
		}
		all[i] = Instance{Address: u.Host}
	}
	return all, nil
}

func instanceFault(scheme, text string, u *url.URL) error {
	refuse := func(what string) error { return fmt.Errorf("%.200q: %s", u.Redacted(), what) }
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch bare := (url.URL{Scheme: scheme, Host: u.Host}); {
	case u.Scheme != scheme:
		return refuse("the scheme must be " + scheme)
	case u.User != nil:
		return refuse("must hold no user and no password")
	case u.Hostname() == "" || !visible(u.Host):
		return refuse("must name a host")
	case err != nil || port == 0:
		return refuse("must name a port, 1 to 65535")
	case bare.String() != text:
		return refuse("must hold nothing after the port")
	}
	return nil
}

// visible reports whether s is visible ASCII.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
