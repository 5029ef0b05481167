package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/adapters/services"
)

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a configuration file would serve",
		Long: `Say whether a configuration file would serve, without serving: "FILE: ok", and a
line for each warning; or, on standard error and with exit status 2, everything
that is wrong, each with file, line, column and what is allowed.

A file has to say where the instances of every service are; all else has a
default. This is a whole one:

` + indent(exampleConfig()),
		Example: "  facet check facet.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(args[0], cmd.OutOrStdout())
		},
	}
}

// check does all that serve does before it listens.
func check(file string, stdout io.Writer) error {
	b, err := newBuild()
	if err != nil {
		return failed(err)
	}
	c, err := load(file, b)
	if err != nil {
		return err
	}
	g, err := newGateway(b, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	g.close()
	fmt.Fprintf(stdout, "%s: ok\n", file)
	for _, warning := range c.Warnings {
		fmt.Fprintf(stdout, "%s: warning: %s\n", file, warning)
	}
	return nil
}

// firstExamplePort is where `facet simulate --listen 127.0.0.1:9001` begins.
const firstExamplePort = 9001

// exampleConfig is a configuration for services on loopback, with two of the
// many values that it could set.
func exampleConfig() string {
	var text strings.Builder
	text.WriteString(`listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
auth: {mode: none}
pages:
  productdetails: {budget: 800ms}
services:
`)
	for i, name := range services.Names() {
		fmt.Fprintf(&text, "  %s:\n    instances: [http://127.0.0.1:%d]\n", name, firstExamplePort+i)
		if name == "catalog" {
			text.WriteString("    commands:\n      product: {timeout: 250ms, cache: {stale: 10m}}\n")
		}
	}
	return text.String()
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ")
}
