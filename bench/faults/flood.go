package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/facet-gateway/facet/bench/process"
)

// flood runs the gateway's own test of it, which has the bars and judges them; its
// words are the figures.
func flood(ctx context.Context, l *lab, _ row) ([]finding, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"test", "-count=1", "-v", "-run", "^TestFlood$"}
	if l.options.race {
		args = append(args, "-race")
	}
	args = append(args, "./cmd/facet")
	if !l.options.short {
		args = append(args, "-flood", "60s")
	}
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = root
	output, err := c.CombinedOutput()
	said := regexp.MustCompile(`overload_test\.go:\d+: (.*)`).FindAllStringSubmatch(string(output), -1)
	if len(said) == 0 {
		return nil, fmt.Errorf("flood: %w\n%s", err, process.Tail(output))
	}
	var found []finding
	for _, line := range said {
		found = append(found, finding{what: strings.ReplaceAll(line[1], "|", "/")})
	}
	const bar = "persons ≥ 99 % served, goodput ≥ 80 %, a refusal's p99 ≤ 50 ms, whole afterwards"
	return append(found, finding{what: "TestFlood", bar: bar, verdict: judged(err == nil)}), nil
}
