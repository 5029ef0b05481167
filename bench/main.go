// Command bench compares the gateway with a twin written by hand (bench/twin) that
// serves the same page from the same services. It builds both, starts them over
// one simulator on loopback, checks that they serve the same pages, and lets wrk ask
// each in turn; a second process of the gateway takes part, so that the spread of two
// equal runs stands beside the figures. CPU is what the kernel charged to the
// process. It runs on Linux only, and everything shares one machine: the latencies
// hold for comparing, not for planning.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what a run can be told.
type options struct {
	rounds      int
	duration    time.Duration // of the load in one round on one program
	warmup      time.Duration // of the load before the first round, uncounted
	connections int
	products    int // how many products the load cycles over, at most
	gogc        int // of every program measured
	workload    workload
	user        string
	postcode    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		return err
	}
	f, err := launch(ctx, o)
	if err != nil {
		return err
	}
	defer f.close()
	if err := f.checkPages(ctx); err != nil {
		return err
	}
	results, err := f.measureAll(ctx)
	if err != nil {
		return err
	}
	if err := checkCommands(ctx, f.gateway, f.equal); err != nil {
		return err
	}
	if err := writeTable(out, o, len(f.load.Paths), results); err != nil {
		return err
	}
	return f.writeFeatures(ctx, out, median(results[0].values(func(s sample) float64 { return s.cpu })))
}

func parseOptions(args []string, usage io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.IntVar(&o.rounds, "rounds", 7, "rounds; each asks every program once")
	flags.DurationVar(&o.duration, "duration", 8*time.Second, "load on one program in one round; whole seconds")
	flags.DurationVar(&o.warmup, "warmup", 2*time.Second, "load on each program before the rounds; whole seconds")
	flags.IntVar(&o.connections, "connections", 32, "connections of the load generator")
	flags.IntVar(&o.products, "products", 100, "products to cycle over, at most")
	flags.IntVar(&o.gogc, "gogc", 400, "GOGC of every program measured")
	page := flags.String("page", "productdetails", "page to ask for: productdetails or home")
	flags.StringVar(&o.user, "user", "u-7", "user who asks")
	flags.StringVar(&o.postcode, "postcode", "1011AB", "postcode to ship to")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("arguments: %w", err)
	}
	if o.rounds < 1 || o.connections < 1 || o.products < 1 || o.gogc < 1 || o.duration < time.Second || o.warmup < time.Second {
		return o, errors.New("arguments: counts are at least 1, durations at least 1s")
	}
	var known bool
	if o.workload, known = workloads()[*page]; !known {
		return o, fmt.Errorf("arguments: there is no page %q to measure; allowed: productdetails, home", *page)
	}
	return o, nil
}
