package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

//go:embed load.lua
var loadScript string

// load is what one run of the load generator came to.
type load struct {
	Requests  int64 `json:"requests"`
	Micros    int64 `json:"micros"` // how long it ran
	Bytes     int64 `json:"bytes"`
	BadStatus int64 `json:"bad_status"` // answers of 400 and above
	BadSocket int64 `json:"bad_socket"` // connections refused or broken, answers that never came
	P50       int64 `json:"p50"`        // microseconds
	P99       int64 `json:"p99"`        // microseconds
}

// generator runs wrk with one thread, which is enough to keep every program here
// busy and leaves the other cores to them.
type generator struct {
	script      string // file of loadScript
	connections int
	headers     []string // "Name: value"
	paths       []string // asked for in this order, over and over
}

func (g *generator) run(ctx context.Context, address string, duration time.Duration) (load, error) {
	args := []string{"--threads", "1", "--connections", strconv.Itoa(g.connections),
		"--duration", fmt.Sprintf("%ds", int(duration.Seconds())), "--timeout", "5s", "--script", g.script}
	for _, header := range g.headers {
		args = append(args, "--header", header)
	}
	args = append(append(args, address, "--"), g.paths...)
	output, err := exec.CommandContext(ctx, "wrk", args...).CombinedOutput()
	if ctx.Err() != nil {
		return load{}, fmt.Errorf("load: %w", context.Cause(ctx))
	}
	if err != nil {
		return load{}, fmt.Errorf("load: wrk: %w\n%s", err, process.Tail(output))
	}
	return parseLoad(string(output))
}

// parseLoad finds the line that loadScript writes. A run without one answer, or
// with any that is not a page, measured something else.
func parseLoad(output string) (load, error) {
	var l load
	_, line, found := strings.Cut(output, "\nload ")
	if !found {
		return l, fmt.Errorf("load: wrk did not run its script to the end:\n%s", output)
	}
	line, _, _ = strings.Cut(line, "\n")
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return l, fmt.Errorf("load: %w", err)
	}
	if l.Requests == 0 || l.Micros == 0 {
		return l, errors.New("load: nothing was answered")
	}
	if l.BadStatus+l.BadSocket > 0 {
		return l, fmt.Errorf("load: %d of %d answers were not a page, and %d never came", l.BadStatus, l.Requests, l.BadSocket)
	}
	return l, nil
}
