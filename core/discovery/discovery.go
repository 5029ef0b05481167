// Package discovery finds the instances of a service: in a static list, in DNS, etcd,
// Consul or Kubernetes, each in a file of its own.
//
// A [Resolver] asks one registry for one service and goes on whatever becomes of it; a
// [Follower] keeps what it told last. A registry that is gone, hangs, knows no instance
// or talks rubbish changes nothing but what [Status] says: instances that were there a
// while ago are a better guess than none, and whoever balances over them finds out
// which have left. Of an answer that is good in part, the good part is taken.
//
// A change is known within a second of a registry that is watched (etcd, Consul,
// Kubernetes), in DNS when its TTL is over. In an outage a try takes 2 s at most, and the
// next one follows within 2 s; what DNS says is absent is looked for again within 4 s,
// and a query of Consul that hangs is given up after 4 s. So a registry that is there
// again is heard within 5 s. Answers of more than 1 MiB are refused.
//
// A watch runs on the goroutine that asks for it; etcd's client and net/http have some
// of their own, which end with it. While nothing changes, etcd is asked for one key each
// 2 s, Consul for all of the service each 3 s, Kubernetes to go on once a minute.
package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// Instance is one server of a service.
type Instance struct {
	Address string `json:"address"`        // HOST:PORT to dial; an IPv6 address in brackets
	Path    string `json:"path,omitempty"` // before every target, of protocols that have paths, such as "/v1"; "": none
	Zone    string `json:"zone,omitempty"` // where it runs, such as "eu-west-1a"; "": unknown
}

// Resolver finds the instances of one service. Those of this package may be watched
// several times at once, and have a String that says what they ask.
type Resolver interface {
	// Watch tells the instances that there are, at first, whenever they change and when
	// an outage is over, until ctx ends. failed tells why nothing can be told now, once
	// per outage and kind of reason; what was told before holds. Right after a list it
	// tells what was left out of that. Watch calls from one goroutine, and goes on by
	// itself after any fault, with pauses that grow to a bound and differ by chance.
	// A list that it tells is valid, not empty, without duplicates, in a stable order,
	// of at most MaxInstances, and the receiver's own.
	Watch(ctx context.Context, told func([]Instance), failed func(error))
}

// MaxInstances of a service are told; of more the first in order.
const MaxInstances = 1000

const (
	maxAnswer = 1 << 20 // bytes, of a registry
	maxPath   = 256     // bytes
	maxName   = 253     // bytes, of a host
	maxLabel  = 63      // bytes, of a part of a host's name, and of a zone
	maxPort   = 1<<16 - 1
)

// validate says which field of an instance is at fault. Its errors are about words,
// not about codes: who asks knows whether it read a configuration or an answer.
func (i Instance) validate() (field string, err error) {
	switch {
	case !validAddress(i.Address):
		return "address", fmt.Errorf("%.100q is none; allowed: HOST:PORT, such as 10.0.0.7:8080 or [fd00::7]:8080", i.Address)
	case !validPath(i.Path):
		return "path", fmt.Errorf("%.100q is none; allowed: at most %d bytes, such as /v1", i.Path, maxPath)
	case !validZone(i.Zone):
		return "zone", fmt.Errorf("%.100q is none; allowed: at most %d letters, digits, points, hyphens and underscores", i.Zone, maxLabel)
	}
	return "", nil
}

func validAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || text != net.JoinHostPort(host, port) {
		return false
	}
	return validHost(host) && validPort(port)
}

// validPort refuses what net.Dial would take: names of ports, signs, leading zeros.
func validPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text == strconv.FormatUint(n, 10)
}

// validHost reports whether a text is an address of one host, or a name. A name whose
// last label is a number is an address that was misspelt.
func validHost(text string) bool {
	if strings.Contains(text, ":") {
		return validIP(text)
	}
	last := text[strings.LastIndexByte(text, '.')+1:]
	if _, err := strconv.ParseUint(last, 10, 64); err == nil {
		return validIP(text)
	}
	return validName(text)
}

// validIP refuses 0.0.0.0, too, which would be dialed as this very host.
func validIP(text string) bool {
	ip, err := netip.ParseAddr(text)
	return err == nil && !ip.IsUnspecified() && !ip.IsMulticast() && ip.Zone() == ""
}

func validName(text string) bool {
	if len(text) > maxName {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || !plain(label, "-_") {
			return false
		}
	}
	return true
}

func validZone(text string) bool { return len(text) <= maxLabel && plain(text, "-_.") }

// validPath keeps out what would change the meaning of the target that follows it.
func validPath(text string) bool {
	if text == "" {
		return true
	}
	if text[0] != '/' || len(text) > maxPath || !plain(text, "/-_.~") {
		return false
	}
	for part := range strings.SplitSeq(text[1:], "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// plain reports whether a text is of letters and digits of ASCII and some others.
func plain(text, others string) bool {
	for _, c := range []byte(text) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune(others, rune(c)) {
			return false
		}
	}
	return true
}

// settle brings a list into the order in which it is told, without duplicates, and
// says how many were too many. It keeps the list.
func settle(list []Instance) (settled []Instance, over int) {
	slices.SortStableFunc(list, compare)
	list = slices.CompactFunc(list, func(a, b Instance) bool { return compare(a, b) == 0 })
	if over = len(list) - MaxInstances; over > 0 {
		return list[:MaxInstances:MaxInstances], over
	}
	return list, 0
}

// compare orders by what is dialed; the zone tells nobody apart.
func compare(a, b Instance) int {
	if c := strings.Compare(a.Address, b.Address); c != 0 {
		return c
	}
	return strings.Compare(a.Path, b.Path)
}

// The kinds of reasons why a registry tells nothing. Each is a fault.Error, whose code
// is the kind.

func away(registry string, cause error) error {
	return &fault.Error{Code: fault.Unavailable, Detail: registry + " cannot be asked", Cause: cause}
}

func refused(registry, detail string) error { return fault.New(fault.Forbidden, registry+" "+detail) }

func rubbish(registry, detail string) error { return fault.New(fault.BadAnswer, registry+" "+detail) }

func empty(registry string) error {
	return fault.New(fault.NotFound, registry+" knows no instance of the service")
}
