package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/facet-gateway/facet/core/config"
)

func newServe() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve pages as a configuration file says",
		Long: `Serve pages as a configuration file says, until a signal ends it.

It prints "gateway http://HOST:PORT" and "admin http://HOST:PORT", with the ports
that were picked where the file says 0. What a file has to hold, all else having
a default, is shown by 'facet check --help'.

SIGHUP has it read the file again: policies of commands, budgets of pages, devices,
versions of adapters, cors, balance, routes and static answers, what is live, and the log's level and requests change without a
restart or a lost request. All of the file is put in force or nothing of it: a bad
file, or one that changes what needs a restart, is told of in the log, and the
configuration in force stays. /config on the private port tells which one it is.`,
		Example: "  facet serve --config facet.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), file, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "the configuration `FILE` (required)")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // there is no such flag: a defect of this function
	}
	return cmd
}

func serve(ctx context.Context, file string, stdout, stderr io.Writer) error {
	hangups := make(chan os.Signal, 1) // one that waits stands for all that come meanwhile
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	b, err := newBuild()
	if err != nil {
		return failed(err)
	}
	c, err := load(file, b)
	if err != nil {
		return err
	}
	lines := &logBuffer{to: stderr}
	defer lines.flush()
	level := &slog.LevelVar{}
	level.Set(c.Log.Level)
	log := newLogger(c.Log, level, lines)
	for _, warning := range c.Warnings {
		log.Warn("configuration", "file", file, "warning", warning)
	}
	g, err := newGateway(b, c, log)
	if err != nil {
		return err
	}
	defer g.close()
	g.file, g.level = file, level
	defer g.follow(hangups)()
	return failed(g.run(ctx, func(public, private string) {
		fmt.Fprintf(stdout, "gateway %s\nadmin %s\n", public, private)
	}))
}

// load reads a configuration file for a build.
func load(file string, b *build) (*config.Config, error) {
	c, err := config.Load(file, b.known())
	if err != nil {
		return nil, refused{err}
	}
	return c, nil
}

func newLogger(c config.Log, level slog.Leveler, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}
