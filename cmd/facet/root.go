package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

const rootHelp = `Facet is the single entry point through which televisions, phones and tablets
reach a system of services. It picks the adapter of the device that asks, which
composes six or seven calls into the one answer that this screen needs; the page
still arrives when a part of the backend does not, and says which part.

It has two ports. The public one serves pages. The private one serves /healthz,
/readyz, /commands (what every kind of call has counted), /circuits, /instances
(where services are), /rollouts (which version answers whom), /admission, /config
(the configuration in force), /audit (who changed what), /openapi/ (what the pages
are, for those who write clients), /metrics and /debug/pprof/; keep it on loopback or
among operators, who need a token to change something.

Signals: the first SIGINT (Ctrl-C) or SIGTERM drains and stops: /readyz turns to
503, requests in progress are finished, and the private port closes last. A
second one ends the program at once. SIGHUP has 'facet serve' read its file again.

Exit status: 0 it did what it was asked to; 1 it failed, such as on an address in
use; 2 the command line or the configuration is at fault, nothing was started.

Environment: GOGC and GOMEMLIMIT set the garbage collector as for any Go program.
Where neither is set, facet collects less often than Go does (GOGC=400), which
trades memory, some tens of megabytes, for processor time.

Output: addresses go to standard output, one "name http://HOST:PORT" a line, the
log goes to standard error.`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "facet",
		Short:         "One backend, many screens: a gateway with an adapter for each device",
		Long:          rootHelp,
		Example:       developmentExamples + "  facet check facet.yaml && facet serve --config facet.yaml",
		SilenceErrors: true, // main tells them, once
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			calmCollector()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newServe(), newCheck(), newDevice(), newOpenAPI(), newDiff(), newVersion(), newToken(), newCircuits(), newRollout())
	root.AddCommand(developmentCommands()...)
	return root
}

// calmCollector makes the garbage collector run less often, unless the
// environment says how often it should.
func calmCollector() {
	const percent = 400 // of the live heap, which is small here
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
	}
}
