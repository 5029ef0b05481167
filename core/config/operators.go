package config

import (
	"net/netip"
	"strings"
)

// Operators says who may change a running gateway through the private port.
type Operators struct {
	Tokens string   // the file of their tokens' hashes; "": nobody may
	Audit  string   // a file to which is added who changed what; "": the log
	Hosts  []string // names under which the private port is asked, beside addresses and localhost
}

const maxHosts = 100

func (o *Operators) decode(v value) {
	v.fields(
		set("tokens", &o.Tokens, path),
		set("audit", &o.Audit, path),
		set("hosts", &o.Hosts, distinct(hostName, maxHosts)),
	)
}

func (o *Operators) files() []*string { return []*string{&o.Tokens, &o.Audit} }

const maxPath = 4096

// path reads the name of a file. It is not looked for here.
func path(v value) (string, bool) {
	text, ok := scalar(v, "operators.txt")
	if ok && (len(text) > maxPath || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })) {
		v.fail("%q is not the path of a file; allowed: at most %d bytes without control characters", shorten(text), maxPath)
		return "", false
	}
	return text, ok
}

// hostName reads a name in a Host header, without a port. An address is always
// good there, so that one that is named would say nothing.
func hostName(v value) (string, bool) {
	text, ok := scalar(v, "gateway.internal")
	if !ok {
		return "", false
	}
	if _, err := netip.ParseAddr(text); err == nil || !isHost(text) {
		v.fail("%q is not a host's name; allowed: a name without a port, such as gateway.internal", shorten(text))
		return "", false
	}
	return text, true
}
