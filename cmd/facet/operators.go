package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	nethttp "net/http"

	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/operator"
)

// changes are what operators can ask for of the program, beside what the private
// port changes by itself.
func (g *gateway) changes() []admin.Change {
	return append(g.rolloutChanges(),
		admin.NewChange(nethttp.MethodPost, "/reload", func(ctx context.Context, _ admin.Actor, _ struct{}) (any, error) {
			return g.reload(ctx)
		}),
		admin.NewChange(nethttp.MethodPost, "/invalidate", func(ctx context.Context, _ admin.Actor, what invalidation) (any, error) {
			return g.invalidate(ctx, what)
		}),
	)
}

// readOperators puts the tokens of the configuration in force, and makes ready the
// file of the audit. Neither changes anything outside.
func (g *gateway) readOperators() error {
	tokens, err := g.tokens(g.config)
	if err != nil {
		return err
	}
	tokens()
	o := g.config.Operators
	if o.Audit == "" {
		return nil
	}
	g.auditFile = &auditFile{path: o.Audit, log: g.log}
	if err := g.auditFile.check(); err != nil {
		return refused{g.config.Locate(err, "operators", "audit")}
	}
	return nil
}

// tokens reads the file of tokens again, if there is one: what it returns puts them
// in force.
func (g *gateway) tokens(c *config.Config) (apply func(), err error) {
	if c.Operators.Tokens == "" {
		return func() { g.operators.Use(nil) }, nil
	}
	tokens, err := operator.Load(c.Operators.Tokens)
	var places operator.Errors
	if errors.As(err, &places) { // of the file of tokens itself
		return nil, refused{places}
	}
	if err != nil {
		return nil, refused{c.Locate(err, "operators", "tokens")}
	}
	return func() { g.operators.Use(tokens) }, nil
}

// audit returns the log of who changed what.
func (g *gateway) audit() *slog.Logger {
	if g.auditFile == nil {
		return g.log
	}
	return slog.New(slog.NewJSONHandler(g.auditFile, nil))
}

// hosts are the names of the private port: those that are configured, and the one
// that it listens on, if that is a name.
func (g *gateway) hosts() []string {
	hosts := g.config.Operators.Hosts
	if host, _, err := net.SplitHostPort(g.config.Admin); err == nil && host != "" {
		hosts = append([]string{host}, hosts...)
	}
	return hosts
}
