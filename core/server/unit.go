package server

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
)

// unitCookie is by what a browser is known again that names neither a user nor a
// device. Its prefix has browsers refuse it from anybody but this host, over TLS.
const unitCookie = "__Host-facet-unit"

// unitAge is how long a browser keeps it, in seconds: a year.
const unitAge = 365 * 24 * 60 * 60

// unitOf returns who is assigned to a version: the user, else the device that the app
// names, else whom a cookie of ours has marked. The cookie is set now if there is
// none: while a rollout runs, it is worth to know a browser again.
func (x *exchange) unitOf(user string) string {
	if user != "" {
		return user
	}
	if name := x.server.Rollouts.UnitHeader; name != "" {
		if lines := x.r.Header[http.CanonicalHeaderKey(name)]; len(lines) == 1 && adapter.ValidID(lines[0]) {
			return lines[0]
		}
	}
	unit := cookie(x.r, unitCookie)
	if adapter.ValidID(unit) {
		return unit
	}
	unit = strings.ToLower(rand.Text())
	http.SetCookie(x.w, &http.Cookie{
		Name: unitCookie, Value: unit, Path: "/", MaxAge: unitAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return unit
}
