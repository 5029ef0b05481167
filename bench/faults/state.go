package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// state is what a gateway holds.
type state struct {
	goroutines  float64
	descriptors float64
	heap        float64 // MiB that are live after a collection
}

// leftover is what may be left of a row when it is over. A goroutine may be on its
// way out, a descriptor be that of who looks. Copies of answers are remembered, of
// these pages some MiB.
//
// Connections to the services are kept for their idle time, 30 s, for which the short
// form does not wait: there, those to each of the seven may be left, as many as its
// limit let there be at once.
func (o options) leftover() state {
	left := state{goroutines: 10, descriptors: 8, heap: 16}
	if o.short {
		left.descriptors = 7 * limit
	}
	return left
}

// settled waits until a gateway that nobody asks holds no more than before, and
// returns what it holds then: up to 45 s, so that idle connections are closed.
func (s *stage) settled(ctx context.Context, before state) (state, error) {
	const longest = 45 * time.Second
	http.DefaultClient.CloseIdleConnections()
	for began := time.Now(); ; {
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return state{}, err
		}
		now, err := s.state(ctx)
		if err != nil || before == (state{}) || now.isBack(before, s.lab.options.leftover()) || time.Since(began) > longest {
			return now, err
		}
	}
}

func (now state) isBack(before, left state) bool {
	return now.goroutines <= before.goroutines+left.goroutines && now.descriptors <= before.descriptors+left.descriptors &&
		now.heap <= before.heap+left.heap
}

// panics are those that the gateway told of: in its log, which says little of those
// that a page survives, in the reasons of parts, and as answers of 500.
func (s *stage) panics(ctx context.Context) (float64, error) {
	said, err := s.process.Count("panic")
	if err != nil {
		return 0, err
	}
	text, err := ask(ctx, http.MethodGet, s.admin+"/metrics", "")
	if err != nil {
		return 0, err
	}
	n := sum(text, "facet_page_parts_total", `reason="panic"`) + sum(text, "facet_requests_total", `code="500"`)
	return n + float64(said+s.panicked), nil
}

// sum adds up the series of a metric that have a label.
func sum(metrics []byte, name, label string) (n float64) {
	for line := range strings.Lines(string(metrics)) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, label) && len(fields) > 1 {
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				value = math.Inf(1) // what cannot be read is not nothing
			}
			n += value
		}
	}
	return n
}

func (s *stage) state(ctx context.Context) (now state, err error) {
	heap, err := ask(ctx, http.MethodGet, s.admin+"/debug/pprof/heap?gc=1&debug=1", "")
	if err != nil {
		return now, err
	}
	if now.heap, err = figure(heap, `# HeapAlloc = (\d+)`); err != nil {
		return now, err
	}
	now.heap /= 1 << 20
	goroutines, err := ask(ctx, http.MethodGet, s.admin+"/debug/pprof/goroutine?debug=1", "")
	if err != nil {
		return now, err
	}
	if now.goroutines, err = figure(goroutines, `goroutine profile: total (\d+)`); err != nil {
		return now, err
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.PID()))
	now.descriptors = float64(len(open))
	return now, err
}

// peak is the most memory that the gateway has had resident, in MiB.
func (s *stage) peak() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.PID()))
	if err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	kib, err := figure(text, `VmHWM:\s+(\d+) kB`)
	return kib / 1024, err
}

// figure finds the one number of a pattern.
func figure(text []byte, pattern string) (float64, error) {
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("there is no %q to be read", pattern)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// aftermath is what holds after each row: no panic, and all that the row took is
// given back.
func (s *stage) aftermath(ctx context.Context) ([]finding, error) {
	now, err := s.settled(ctx, s.calm)
	if err != nil {
		return nil, err
	}
	panics, err := s.panics(ctx)
	if err != nil {
		return nil, err
	}
	left := s.lab.options.leftover()
	one := func(what string, before, after, more float64) finding {
		return atMost(what, []float64{before}, []float64{after}, before+more, nil)
	}
	return []finding{
		one("goroutines, before and after", s.calm.goroutines, now.goroutines, left.goroutines),
		one("descriptors, before and after", s.calm.descriptors, now.descriptors, left.descriptors),
		one("live memory, before and after, MiB", s.calm.heap, now.heap, left.heap),
		atMost("panics", nil, []float64{panics}, 0, nil),
	}, nil
}
