package admin

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// guard sees every request first, also those that no route has, and refuses what
// another web page could have a person's browser ask, and what changes something
// without a token.
//
// A page of a name that its owner lets point here (DNS rebinding) is of one origin
// with this port as far as the browser can tell, but the Host is that name: only
// addresses, localhost and the configured names are served. Any address is good: a
// browser that was led here by a name sends the name. A page of another origin can
// send a request without reading its answer: Origin and Sec-Fetch-Site, which
// scripts cannot forge, say so, and a body is JSON, which no form sends.
//
// What a method may do depends on no header: one that overrides the method is one
// that nobody reads.
func (a *Admin) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if err := a.ownRequest(r); err != nil {
			a.audit.add(recordOf(r, ""), refused(c, err))
			return nil
		}
		if reads(r.Method) {
			return next(c)
		}
		if a.trials[c.Path()] {
			return jsonOnly(next)(c)
		}
		who, err := a.operator(c)
		if err != nil {
			a.audit.add(recordOf(r, ""), refused(c, err))
			return nil
		}
		a.audited(c, who, jsonOnly(next))
		return nil
	}
}

// audited lets an operator's request pass, and records what came of it, a defect
// included.
func (a *Admin) audited(c echo.Context, who string, next echo.HandlerFunc) {
	rec := recordOf(c.Request(), who)
	c.Set(recordKey, rec)
	err := protect(next, c)
	if _, unrouted := errors.AsType[*echo.HTTPError](err); !unrouted && fault.CodeOf(err) == fault.Internal {
		a.Log.Error("a change failed", "who", who, "path", rec.Path, "err", err)
	}
	a.audit.add(rec, refused(c, err))
}

// protect turns a panic into an error: it would end the connection without a record.
func protect(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	return next(c)
}

// refused answers with the problem that err is, if it is one, and returns what
// there is to record.
func refused(c echo.Context, err error) outcome {
	if err != nil {
		refuse(err, c)
	}
	return outcome{status: c.Response().Status, err: err}
}

func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// ownRequest refuses what is asked under a name that is not ours, or by another web page.
func (a *Admin) ownRequest(r *http.Request) error {
	if !a.ownHost(r.Host) {
		return fault.New(fault.Forbidden, "the host must be an address, localhost or one of operators.hosts")
	}
	if origin, ok := r.Header["Origin"]; ok && (len(origin) != 1 || !strings.EqualFold(origin[0], "http://"+r.Host)) {
		return fault.New(fault.Forbidden, "another web page asks: the origin is not the host")
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return nil
	}
	if reads(r.Method) && r.Header.Get("Sec-Fetch-Mode") == "navigate" { // a link to here
		return nil
	}
	return fault.New(fault.Forbidden, "another web page asks: the fetch is from another site")
}

// ownHost reports whether a host is an address or a name of ours. Nobody's name
// server decides where an address and localhost lead.
func (a *Admin) ownHost(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]") // it has no port
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	if _, err = netip.ParseAddr(host); err == nil {
		return true
	}
	return host != "" && slices.ContainsFunc(a.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// operator returns who asks, by the token of the Authorization header (RFC 6750,
// 2.1). A token anywhere else, such as in the query, is none: it would be in logs.
func (a *Admin) operator(c echo.Context) (string, error) {
	challenge := `Bearer realm="facet"`
	detail := "a change needs a token: Authorization: Bearer TOKEN"
	if lines := c.Request().Header["Authorization"]; len(lines) == 1 {
		scheme, token, _ := strings.Cut(lines[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			if name, found := a.Operators.Find(strings.TrimSpace(token)); found {
				return name, nil
			}
			challenge += `, error="invalid_token"`
			detail = "the token is nobody's"
		}
	}
	if a.Operators.Len() == 0 {
		detail = "nobody may change anything here: no tokens are configured (operators.tokens)"
	}
	c.Response().Header().Set("WWW-Authenticate", challenge)
	return "", fault.New(fault.Unauthenticated, detail)
}

// jsonOnly refuses a body of another type.
func jsonOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength != 0 && !isJSON(r.Header) { // -1: of unknown length
			return fault.InvalidField("Content-Type", "must be application/json")
		}
		return next(c)
	}
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/json"
}
