// Command facet is the gateway: the one program of this module, for serving, for
// checking a configuration and, unless built with the tag "production", for a
// demonstration with simulated services. `facet --help` is its manual.
//
// This package wires the packages below it together and passes signals on; it
// decides nothing about a request. What is compiled in is in build.go, how a
// configuration becomes a running gateway in gateway.go, and each command of the
// command line has a file.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. The first signal ends its context, the second the process.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore)

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	chosen, err := root.ExecuteContextC(ctx)
	if err != nil {
		fmt.Fprintln(stderr, explain(err, chosen.CommandPath()))
	}
	return statusOf(err)
}
