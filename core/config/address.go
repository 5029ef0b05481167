package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// address reads HOST:PORT. An empty host means all interfaces, port 0 a free
// port.
func address(v value) (string, bool) {
	text, ok := scalar(v, "127.0.0.1:8080")
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isPort(port) || host != "" && !isHost(host) {
		v.fail("%q is not an address; allowed: HOST:PORT, such as 127.0.0.1:8080", shorten(text))
		return "", false
	}
	return text, true
}

// overlapping reports whether two addresses are of one port, and of one host or
// one of all hosts.
func overlapping(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everywhere(hostA) || everywhere(hostB)
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// loopback reports whether only this machine reaches an address. Of names, only
// localhost is known to be.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// isHost accepts an IP address or a name of letters, digits, hyphens, dots and
// underscores (which container names have).
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isWord(label) || strings.HasPrefix(label, "-") {
			return false
		}
	}
	return len(host) <= 253
}

const maxOrigins = 100

// origins reads a list of origins, spelled as a browser sends them: anything
// else would never match.
func origins(v value) ([]string, bool) {
	list, ok := distinct(origin, maxOrigins)(v)
	if ok && len(list) > 1 && slices.Contains(list, "*") {
		v.fail(`holds "*" and more; allowed: "*" alone`)
		return nil, false
	}
	return list, ok
}

func origin(v value) (string, bool) {
	text, ok := scalar(v, "https://tv.example")
	if ok && text != "*" && !isOrigin(text) {
		v.fail(`%q is not an origin; allowed: SCHEME://HOST[:PORT] in lower case and without the usual port, or "*" alone`, shorten(text))
		return "", false
	}
	return text, ok
}

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !isHost(u.Hostname()) || text != strings.ToLower(text) {
		return false
	}
	port := u.Port()
	usual := u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443"
	return u.Scheme != "" && text == u.Scheme+"://"+u.Host && u.User == nil && !usual &&
		!strings.HasSuffix(u.Host, ":") && (port == "" || isPort(port) && port != "0")
}
