package playground

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// guard refuses what another web page could have a person's browser ask.
//
// A page of a name that its owner lets point here (DNS rebinding) is of one
// origin with this port as far as the browser can tell, but the Host is that
// name: only addresses and localhost are served. A page of another origin can
// send a request without reading its answer, so that whatever changes or runs
// something has to come from this page: Origin and Sec-Fetch-Site, which scripts
// cannot forge, say otherwise or nothing, and a body is JSON, which no form sends.
func guard(r *http.Request) error {
	if !ownHost(r.Host) {
		return fault.New(fault.Forbidden, "the host must be an address or localhost")
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if origin, ok := r.Header["Origin"]; ok && (len(origin) != 1 || !strings.EqualFold(origin[0], "http://"+r.Host)) {
		return fault.New(fault.Forbidden, "another web page asks: the origin is not the host")
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return fault.New(fault.Forbidden, "another web page asks: the fetch is from another site")
	}
	if r.Method != http.MethodDelete && !isJSON(r.Header) {
		return fault.InvalidField("Content-Type", "must be application/json")
	}
	return nil
}

// ownHost reports whether nobody's name server decides where the host leads.
func ownHost(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]") // it has no port
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/json"
}
