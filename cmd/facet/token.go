package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/operator"
)

const tokenHelp = `Make a token for an operator: somebody, or some program, that may change a running
gateway through its private port.

It prints "token TOKEN", which is for the operator alone and is kept nowhere, and
"line NAME HASH", whose rest is a line for the file that operators.tokens names in
the gateway's configuration. The token is 256 random bits; the file holds only its
hash and need not be kept secret, but nobody else may write it.

A NAME is a-z, then at most 31 of a-z, 0-9, _ and -; the audit tells it. To take a
token away, remove its line and let the gateway read its files again.`

func newToken() *cobra.Command {
	return &cobra.Command{
		Use:     "token NAME",
		Short:   "Make a token for an operator, and the line that lets the gateway know it",
		Long:    tokenHelp,
		Example: "  facet token alice",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, line, err := operator.New(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "token %s\nline %s\n", token, line)
			return nil
		},
	}
}
