package services

import (
	"context"
	"net/url"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// Introspection is what the auth service says about a token (RFC 7662).
type Introspection struct {
	Active bool   `json:"active"`
	Sub    string `json:"sub"`   // the user; "" unless active
	Scope  string `json:"scope"` // words with spaces between
	Exp    int64  `json:"exp"`   // seconds since 1970; 0: it does not say
}

// Auth knows the tokens. Nothing stands in for it and nothing is remembered:
// nobody is let in on doubt.
type Auth struct {
	service
	introspect *command.Command[string, Introspection]
}

func declareAuth() *Auth {
	a := &Auth{service: service{name: "auth"}}
	a.introspect = command.New("auth.introspect", a.ask)
	a.controls = []*command.Control{a.introspect.Control}
	return a
}

// Introspect returns what is known of a token; without one ("") nobody is asked.
// An active token without a user is an invalid answer.
func (a *Auth) Introspect(token string) stream.Stream[Introspection] {
	if token == "" {
		return anonymous[Introspection](a.introspect.Name())
	}
	return a.introspect.Observe(token)
}

func (a *Auth) ask(ctx context.Context, token string) (Introspection, error) {
	if a.client == nil {
		return Introspection{}, fault.New(fault.Internal, a.name+" is not connected")
	}
	said, err := http.PostForm[Introspection](ctx, a.client, "/introspect", url.Values{"token": {token}})
	if err == nil && said.Active && said.Sub == "" {
		err = invalid("the token is active, and nobody's")
	}
	return said, err
}
