package simulator

import (
	"net/http"
	"strings"
	"time"
)

const (
	tokenPrefix = "token-" // before the user's id
	tokenLife   = time.Hour
)

// introspection is the answer of the auth service, as RFC 7662 has it.
type introspection struct {
	Active  bool   `json:"active"`
	Subject string `json:"sub,omitempty"`
	Scope   string `json:"scope,omitempty"`
	Expires int64  `json:"exp,omitempty"` // seconds since 1970
}

func bindAuth(s *store) answerer {
	return only(http.MethodPost, func(r *http.Request) *answer {
		if r.URL.Path != "/introspect" {
			return nothing
		}
		token := r.PostForm.Get("token")
		if token == "" {
			return badField("token")
		}
		a := encode(s.introspect(token))
		a.cache = []string{"no-store"}
		return a
	})
}

func (s *store) introspect(token string) introspection {
	id, found := strings.CutPrefix(token, tokenPrefix)
	if _, known := s.users[id]; !found || !known {
		return introspection{}
	}
	return introspection{Active: true, Subject: id, Scope: "shop", Expires: s.now().Add(tokenLife).Unix()}
}
