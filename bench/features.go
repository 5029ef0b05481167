package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

// feature is a part of a page's cost: the time under some functions, less the time
// under functions that they call and that are another feature's.
type feature struct {
	name  string
	under []string // beginnings of the functions' names, type arguments left out
	less  []string
}

const (
	module  = "github.com/facet-gateway/facet/"
	hystrix = "github.com/afex/hystrix-go/hystrix."
)

// features are what a page of the gateway costs beside the kernel's and the
// library's own work, by function.
var features = [...]feature{
	{"which device asks", []string{module + "devices.(*Resolver).Resolve"}, nil},
	{"request id and trace", []string{module + "core/server.requestID", module + "core/server.trace"}, nil},
	{"the query, decoded and checked", []string{module + "core/adapter.(*Query[...]).Decode"}, nil},
	{
		"time limit, bulkhead, circuit, verdict",
		[]string{module + "core/command.(*Control).execute"}, []string{module + "core/command.protect"},
	},
	{"hystrix-go's monitor", []string{hystrix + "(*metricExchange).Monitor", hystrix + "(*metricExchange).IncrementMetrics"}, nil},
	{"stale copies, kept and looked up", []string{module + "core/cache.(*Cache[...]).Put", module + "core/cache.(*Cache[...]).Get"}, nil},
	{
		"the calls: write, wait, read, parse",
		[]string{module + "core/backend/http.(*Client).do"}, []string{module + "core/backend/http.request.decode"},
	},
	{"answers, decoded", []string{module + "core/backend/http.request.decode"}, nil},
	{"the page, encoded", []string{module + "core/adapter.encode"}, nil},
	{"provenance headers", []string{module + "core/server.(*exchange).provenance", module + "core/server.fixedHeaders.set"}, nil},
	{"ETag and If-None-Match", []string{module + "core/server.weakETag", module + "core/server.matches"}, nil},
	{"the log line", []string{module + "core/server.(*exchange).log"}, nil},
}

// writeFeatures profiles the gateway under the load of one more round and writes what
// each feature takes of a page that costs cpu microseconds.
func (f *fleet) writeFeatures(ctx context.Context, out io.Writer, cpu float64) error {
	profile, err := f.profile(ctx)
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	listing, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-unit=us",
		"-nodecount=0", "-nodefraction=0", "-edgefraction=0", filepath.Join(f.dir, "facet"), profile).Output()
	if err != nil {
		return fmt.Errorf("features: go tool pprof: %w", err)
	}
	spent, total, err := parseProfile(string(listing))
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	fmt.Fprintf(out, "\nWhere the gateway's %.0f µs go, by a CPU profile of one more round:\n\n| feature | µs/page |\n|---|---|\n", cpu)
	for _, each := range features {
		fmt.Fprintf(out, "| %s | %.1f |\n", each.name, cpu*each.of(spent)/total)
	}
	return nil
}

// profile takes a CPU profile of the gateway while it serves the load.
func (f *fleet) profile(ctx context.Context) (file string, err error) {
	file = filepath.Join(f.dir, "cpu.pprof")
	taken := make(chan error, 1)
	go func() { taken <- f.download(ctx, file) }()
	_, err = f.load.Run(ctx, f.gateway.address, f.options.duration+time.Second)
	if fault := <-taken; fault != nil {
		return "", fault
	}
	return file, err
}

func (f *fleet) download(ctx context.Context, file string) error {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", f.gateway.admin, int(f.options.duration.Seconds()))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o600)
}

// parseProfile returns the time under each function, those of one generic function
// added up, and the time of all.
func parseProfile(listing string) (spent map[string]float64, total float64, err error) {
	spent = make(map[string]float64)
	for line := range strings.Lines(listing) {
		if _, rest, ok := strings.Cut(line, "Total samples = "); ok {
			if total, err = microseconds(strings.Fields(rest)[0]); err != nil {
				return nil, 0, err
			}
		}
		fields := strings.Fields(line)
		if len(fields) < 6 || !strings.HasSuffix(fields[1], "%") {
			continue
		}
		under, err := microseconds(fields[3])
		if err != nil {
			return nil, 0, err
		}
		spent[function(strings.Join(fields[5:], " "))] += under
	}
	if total == 0 || len(spent) == 0 {
		return nil, 0, fmt.Errorf("the profile is empty:\n%s", process.Tail([]byte(listing)))
	}
	return spent, total, nil
}

func microseconds(text string) (float64, error) {
	if text == "0" {
		return 0, nil
	}
	if micros, ok := strings.CutSuffix(text, "us"); ok {
		return strconv.ParseFloat(micros, 64)
	}
	d, err := time.ParseDuration(text)
	return float64(d.Microseconds()), err
}

// function returns the name without its type arguments, which hold brackets of
// their own, and without the remark that it was inlined.
func function(name string) string {
	name = strings.TrimSuffix(name, " (inline)")
	open, end := strings.Index(name, "["), strings.LastIndex(name, "]")
	if open < 0 || end < open {
		return name
	}
	return name[:open] + "[...]" + name[end+1:]
}

func (each feature) of(spent map[string]float64) float64 {
	var sum float64
	for _, name := range each.under {
		sum += spent[name]
	}
	for _, name := range each.less {
		sum -= spent[name]
	}
	return sum
}
