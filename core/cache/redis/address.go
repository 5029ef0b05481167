package redis

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Address is where a server is and who asks it. It prints without its password.
type Address struct {
	Server   string // HOST:PORT
	TLS      bool
	User     string // "": the default user
	Password string // "": none
	Database int
}

// ErrAddress says what an address looks like. It repeats nothing of the one that
// was refused, which may hold a password.
var ErrAddress = errors.New("allowed: redis://[USER@]HOST:PORT[/DATABASE], or rediss:// for TLS; the password in a file of its own")

const defaultPort = "6379"

// Parse reads redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], or rediss:// for
// TLS with a certificate of the host's name. Without a port it is 6379, without a
// database 0.
func Parse(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "" || u.Opaque != "" ||
		u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, " ?#") {
		return Address{}, ErrAddress
	}
	a := Address{TLS: u.Scheme == "rediss", User: u.User.Username()}
	a.Password, _ = u.User.Password()
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Address{}, ErrAddress
	}
	a.Server = net.JoinHostPort(u.Hostname(), port)
	if path := strings.Trim(u.Path, "/"); path != "" {
		n, err := strconv.ParseUint(path, 10, 16)
		if err != nil || u.Path != "/"+path {
			return Address{}, ErrAddress
		}
		a.Database = int(n)
	}
	return a, nil
}

func (a Address) host() string {
	host, _, _ := net.SplitHostPort(a.Server) // it was joined here
	return host
}

// String returns the address without user and password.
func (a Address) String() string {
	scheme := "redis://"
	if a.TLS {
		scheme = "rediss://"
	}
	return scheme + a.Server + "/" + strconv.Itoa(a.Database)
}

// GoString is String: %#v does not print the password either.
func (a Address) GoString() string { return a.String() }
