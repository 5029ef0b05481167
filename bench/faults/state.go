package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"
)

// state is what a gateway holds.
type state struct {
	goroutines  float64
	descriptors float64
	heap        float64 // MiB that are live after a collection
}

// What may be left of a row when it is over. A goroutine may be on its way out.
// Connections to the services are kept for their idle time: to each of the seven as
// many as its limit let there be at once, of which there may have been none before.
// Copies of answers are remembered, of these pages some MiB.
const (
	moreGoroutines  = 10
	moreDescriptors = 7 * limit
	moreHeap        = 16
)

// settled waits up to 20 s until a gateway that nobody asks holds no more than
// before, and returns what it holds then.
func (s *stage) settled(ctx context.Context, before state) (state, error) {
	const longest = 20 * time.Second
	http.DefaultClient.CloseIdleConnections()
	for began := time.Now(); ; {
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return state{}, err
		}
		now, err := s.state(ctx)
		if err != nil || before == (state{}) || now.isBack(before) || time.Since(began) > longest {
			return now, err
		}
	}
}

func (now state) isBack(before state) bool {
	return now.goroutines <= before.goroutines+moreGoroutines && now.descriptors <= before.descriptors+moreDescriptors &&
		now.heap <= before.heap+moreHeap
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
	panics, err := s.process.Count("panic")
	if err != nil {
		return nil, err
	}
	one := func(what string, before, after, more float64) finding {
		return atMost(what, []float64{before}, []float64{after}, before+more, nil)
	}
	return []finding{
		one("goroutines, before and after", s.calm.goroutines, now.goroutines, moreGoroutines),
		one("descriptors, before and after", s.calm.descriptors, now.descriptors, moreDescriptors),
		one("live memory, before and after, MiB", s.calm.heap, now.heap, moreHeap),
		atMost("panics", nil, []float64{float64(panics)}, 0, nil),
	}, nil
}
