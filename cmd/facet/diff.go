package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/openapi"
)

func newDiff() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say which changes of a device's pages would break a client",
		Long: `Say which changes of a device's pages would break a client, of two documents that
'facet openapi' printed: a page or field that is gone, one that may now be absent
or null, a type that is another one, a word that a client may not know, a
parameter that is gone or asks for more. Each is a line of the page, the field
and the change; new names of types, and what problems say, are no changes.

Exit status: 0 nothing would break; 1 something would; 2 a file is no such
document.`,
		Example: `  facet openapi --device phone > new.json
  facet diff phone.json new.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return diff(args[0], args[1], all, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also list the changes that break nothing")
	return cmd
}

func diff(oldFile, newFile string, all bool, stdout io.Writer) error {
	old, oldErr := readDocument(oldFile)
	now, newErr := readDocument(newFile)
	if err := errors.Join(oldErr, newErr); err != nil {
		return refused{err}
	}
	breaking := 0
	for _, change := range openapi.Diff(old, now) {
		switch {
		case change.Breaking:
			breaking++
			fmt.Fprintln(stdout, change)
		case all:
			fmt.Fprintln(stdout, change, "(compatible)")
		}
	}
	if breaking > 0 {
		return failed(fmt.Errorf("%d of the changes from %s to %s would break a client", breaking, oldFile, newFile))
	}
	return nil
}

func readDocument(file string) (*openapi.Document, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	d, err := openapi.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}
