// Command faults breaks the services behind a real gateway while it is under steady
// load, and holds what comes of it to bars: rows of faults, each of which has runs
// with the fault and runs without it in turns. It builds `facet`, starts `facet
// simulate` and, for each row, a fresh `facet serve` on loopback, and prints a table:
// each figure of the healthy and of the faulty runs with its spread, the bar, and
// whether it is met. It exits with 1 if one is missed.
//
// Everything shares one machine, and a machine with other work answers late whatever
// a gateway does. So each run also measures how late this program's own goroutines
// are woken, and a bar of time has that much room, 50 ms at most; the table tells it. A
// row that misses a bar while the machine is later is run again, twice at most.
//
// It runs on Linux only, and ends only what it has started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var errMissed = errors.New("a bar was missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// options are what a run can be told.
type options struct {
	only  []string // rows; none: all
	short bool     // a form of a minute, for tests: some rows, few rounds, little load
	race  bool     // the programs run with the race detector: slower and larger

	baseline string // facet as an earlier build made it, to compare the cost of a page with; "": none
	line     string // the arguments as they were given
}

func parseOptions(args []string, usage io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(usage)
	only := flags.String("only", "", "rows to run, with commas between them: "+strings.Join(names(rows()), ", "))
	flags.BoolVar(&o.short, "short", false, "few rounds and little load, and without -only those rows that are quick to show")
	flags.BoolVar(&o.race, "race", false, "build with the race detector; resident memory is then told, not judged")
	flags.StringVar(&o.baseline, "baseline", os.Getenv("FACET_BASELINE"),
		"facet, built from an earlier commit, whose CPU per page the row healthy compares with")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("arguments: %w", err)
	}
	o.line = strings.Join(args, " ")
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	return o, nil
}

// run runs the rows that are wanted, and writes the table.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parseOptions(args, progress)
	if err != nil {
		return err
	}
	began := time.Now()
	found, late, err := o.measure(ctx, progress)
	if err != nil {
		return err
	}
	writeTable(out, o, late, found)
	fmt.Fprintf(out, "\n`faults %s`: %d met, %d MISSED, %d told, in %v.\n",
		o.line, count(found, met), count(found, notMet), count(found, told), time.Since(began).Round(time.Second))
	if missed(found) {
		return errMissed
	}
	return nil
}

// measure runs the rows that are wanted. It also returns how late 99 % of this
// program's goroutines were at most.
func (o options) measure(ctx context.Context, progress io.Writer) (all []finding, late time.Duration, err error) {
	wanted, err := choose(rows(), o)
	if err != nil {
		return nil, 0, err
	}
	l, err := open(ctx, o)
	if err != nil {
		return nil, 0, err
	}
	defer l.close()
	for _, r := range wanted {
		found, err := l.show(ctx, r, progress)
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if err != nil { // the others may still tell something
			fmt.Fprintf(progress, "  MISSED  %v\n", err)
			reason, _, _ := strings.Cut(err.Error(), "\n")
			found = []finding{{row: r.name, what: strings.ReplaceAll(reason, "|", "/"), bar: "it runs to its end", verdict: notMet}}
		}
		all = append(all, found...)
	}
	return all, l.late, nil
}

// show runs a row; again, twice at most, if it missed a bar while the machine was later
// than a bar has room for.
func (l *lab) show(ctx context.Context, r row, progress io.Writer) ([]finding, error) {
	const attempts = 3
	for n := 1; ; n++ {
		l.rowLate = 0
		began := time.Now()
		fmt.Fprintf(progress, "%s: %s\n", r.name, r.about)
		found, err := r.run(ctx, l, r)
		if err != nil {
			return nil, err
		}
		for i := range found {
			found[i].row = r.name
			fmt.Fprintln(progress, "  "+found[i].line())
		}
		fmt.Fprintf(progress, "  in %v, woken up to %.0f ms late\n", time.Since(began).Round(time.Second/10), l.rowLate)
		if !missed(found) || l.rowLate <= mostLate || n == attempts {
			return found, nil
		}
		fmt.Fprintln(progress, "once more, because the machine was late")
	}
}
