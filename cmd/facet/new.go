//go:build !production

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/adapters/scaffold"
)

// beginning is what the commands below new have in common.
type beginning struct {
	dir    string
	untold bool // the golden files are not written
}

func newNew() *cobra.Command {
	var b beginning
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Begin an adapter version or an endpoint: code, test and the line that lists it",
		Long: `Begin an adapter version or an endpoint, in a clone of the source: it writes code
that compiles, its test with golden files, and the one line that makes it a part of
the build. Nothing is overwritten; when anything is in the way, nothing is changed.`,
	}
	cmd.PersistentFlags().StringVar(&b.dir, "dir", ".", "a `DIRECTORY` in the source tree")
	cmd.PersistentFlags().BoolVar(&b.untold, "no-golden", false, "do not run the new tests to write their golden files")
	cmd.AddCommand(newNewAdapter(&b), newNewEndpoint(&b))
	return cmd
}

func newNewAdapter(b *beginning) *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use:   "adapter CLASS VERSION",
		Short: "Begin a version of a device class's adapter",
		Long: `Begin a version of a device class's adapter: in adapters/CLASS if it is the first,
else in adapters/CLASS/VERSION. With --on it has the pages of another version, but
for those that it overrides; without, it begins with none.

The configuration says which version answers a class: adapters: {CLASS: VERSION}.
A class that is not tv, phone or tablet needs its screen there, too, in
devices.classes.`,
		Example: "  facet new adapter phone v3 --on v2\n  facet new adapter watch v1",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return b.write(cmd.Context(), cmd.OutOrStdout(), func(m scaffold.Module) (string, []string, error) {
				return m.NewAdapter(args[0], args[1], base)
			})
		},
	}
	cmd.Flags().StringVar(&base, "on", "", "the `VERSION` of the class that it builds on")
	return cmd
}

func newNewEndpoint(b *beginning) *cobra.Command {
	return &cobra.Command{
		Use:   "endpoint CLASS VERSION PATH",
		Short: "Begin an endpoint of a version: a page of seven calls, to cut down",
		Long: `Begin an endpoint of a version, in the version's folder: a page of seven calls, to
cut down to what the screen has room for. A PATH that the version has from the one
it builds on is overridden.`,
		Example: "  facet new endpoint watch v1 /glance\n  facet new endpoint phone v3 /home",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return b.write(cmd.Context(), cmd.OutOrStdout(), func(m scaffold.Module) (string, []string, error) {
				return m.NewEndpoint(args[0], args[1], args[2])
			})
		},
	}
}

// write begins a thing, tells of it, and runs its tests once to write golden files.
func (b *beginning) write(ctx context.Context, out io.Writer, begin func(scaffold.Module) (string, []string, error)) error {
	module, err := scaffold.Find(b.dir)
	if err != nil {
		return refused{err}
	}
	folder, written, err := begin(module)
	if err != nil {
		return refused{err}
	}
	for _, path := range written {
		fmt.Fprintln(out, "wrote", path)
	}
	if b.untold {
		return nil
	}
	test := exec.CommandContext(ctx, "go", "test", "./"+folder, "-update") //nolint:gosec // the folder's name has been checked
	test.Dir, test.Stdout, test.Stderr = module.Root(), out, os.Stderr
	if err := test.Run(); err != nil {
		return failed(fmt.Errorf("%s does not pass: %w", folder, err))
	}
	fmt.Fprintf(out, "now edit, and: go test ./%s\n", folder)
	return nil
}
