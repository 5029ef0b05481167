package main

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/facet-gateway/facet/core/operator"
)

// readOperators puts the tokens of the configuration in force, and makes ready the
// file of the audit. Neither changes anything outside.
func (g *gateway) readOperators(*build) error {
	o := g.config.Operators
	if o.Tokens != "" {
		tokens, err := operator.Load(o.Tokens)
		if err != nil {
			return refused{fmt.Errorf("operators.tokens: %w", err)}
		}
		g.operators.Use(tokens)
	}
	if o.Audit == "" {
		return nil
	}
	g.auditFile = &auditFile{path: o.Audit, log: g.log}
	if err := g.auditFile.check(); err != nil {
		return refused{err}
	}
	return nil
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
