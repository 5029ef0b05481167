// Package wrk asks closed loop with the program wrk: as many pages as a program can
// make. It is for comparing what pages cost, not how long they take; for that there
// is bench/openloop.
package wrk

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

//go:embed load.lua
var loadScript string

// Load is what one run came to.
type Load struct {
	Requests  int64 `json:"requests"`
	Micros    int64 `json:"micros"` // how long it ran
	Bytes     int64 `json:"bytes"`
	BadStatus int64 `json:"bad_status"` // answers of 400 and above
	BadSocket int64 `json:"bad_socket"` // connections refused or broken, answers that never came
	P50       int64 `json:"p50"`        // microseconds
	P99       int64 `json:"p99"`        // microseconds
}

// Generator runs wrk with one thread, which is enough to keep every program here
// busy and leaves the other cores to them.
type Generator struct {
	Dir         string // for its script
	Connections int
	Headers     []string // "Name: value"
	Paths       []string // asked for in this order, over and over
}

// Run asks an address for a duration of whole seconds. It is an error if any answer
// was not a page, or none came.
func (g *Generator) Run(ctx context.Context, address string, duration time.Duration) (Load, error) {
	script := filepath.Join(g.Dir, "load.lua")
	if err := os.WriteFile(script, []byte(loadScript), 0o600); err != nil {
		return Load{}, fmt.Errorf("load: %w", err)
	}
	args := []string{"--threads", "1", "--connections", strconv.Itoa(g.Connections),
		"--duration", fmt.Sprintf("%ds", int(duration.Seconds())), "--timeout", "5s", "--script", script}
	for _, header := range g.Headers {
		args = append(args, "--header", header)
	}
	args = append(append(args, address, "--"), g.Paths...)
	output, err := exec.CommandContext(ctx, "wrk", args...).CombinedOutput()
	if ctx.Err() != nil {
		return Load{}, fmt.Errorf("load: %w", context.Cause(ctx))
	}
	if err != nil {
		return Load{}, fmt.Errorf("load: wrk: %w\n%s", err, process.Tail(output))
	}
	return parse(string(output))
}

// parse finds the line that loadScript writes. A run without one answer, or
// with any that is not a page, measured something else.
func parse(output string) (Load, error) {
	var l Load
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
