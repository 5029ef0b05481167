package command_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

// transition is a change of a circuit's state, seen by two looks at it.
type transition struct{ after, before time.Time }

// transitions notes them while many callers look.
type transitions struct {
	control *command.Control

	mu   sync.Mutex
	last time.Time // of the looks
	all  []transition
}

func (w *transitions) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, now := command.Transitions(w.control), time.Now()
	for len(w.all) < n {
		w.all = append(w.all, transition{w.last, now})
	}
	w.last = now
}

// TestFlapping is of a backend that is up as long as it is down, again and again:
// between any three changes of state lies a sleep window, so that there are two in
// one at most, whichever of its triggers opens the circuit. A tenth of the usual
// times: 200 ms for 2 s.
func TestFlapping(t *testing.T) {
	const lasting = 4 * time.Second
	consecutive := func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Volume = 20, never }
	percentage := func(p *command.Policy) {
		p.Circuit.Consecutive, p.Circuit.Volume, p.Circuit.ErrorPercent = never, 20, 20
	}
	for _, tc := range []struct {
		name        string
		half, sleep time.Duration
		opens       func(*command.Policy)
		least       int // transitions, or the test does not test
	}{
		{"2 s up and down, 5 s of sleep", 200 * time.Millisecond, 500 * time.Millisecond, consecutive, 4},
		{"2 s up and down, 3 s of sleep", 200 * time.Millisecond, 300 * time.Millisecond, consecutive, 8},
		{"2 s up and down, 3 s of sleep, by percentage", 200 * time.Millisecond, 300 * time.Millisecond, percentage, 4},
		{"0.4 s up and down, 3 s of sleep", 40 * time.Millisecond, 300 * time.Millisecond, consecutive, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			c := command.New("test.flaps", func(context.Context, int) (int, error) {
				if time.Since(began)/tc.half%2 == 1 {
					return 0, errPlain
				}
				return 1, nil
			})
			configure(t, c.Control, func(p *command.Policy) { p.Circuit.Sleep = tc.sleep; tc.opens(p) })
			seen := &transitions{control: c.Control, last: began}
			var callers sync.WaitGroup
			for range 8 {
				callers.Go(func() {
					pace(int(lasting/time.Millisecond), func(i int) bool {
						outcome(t.Context(), c, i)
						seen.look()
						return time.Since(began) < lasting
					})
				})
			}
			callers.Wait()
			for i := 2; i < len(seen.all); i++ {
				if span := seen.all[i].before.Sub(seen.all[i-2].after); span < tc.sleep {
					t.Errorf("changes %d to %d of %d within %v, want a window of %v", i-2, i, len(seen.all), span, tc.sleep)
				}
			}
			if len(seen.all) < tc.least {
				t.Errorf("%d changes of state: the test does not test", len(seen.all))
			}
			t.Logf("%d changes of state in %.1f windows", len(seen.all), float64(lasting)/float64(tc.sleep))
		})
	}
}
