package command_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// shares calls a backend of which 3 of 5 calls fail, never more than 2 in a row.
func shares(t *testing.T, b *backend, c *command.Command[int, int], n int) (calls int) {
	pace(n, func(i int) bool {
		b.down.Store(i%5 != 1 && i%5 != 3)
		outcome(t.Context(), c, i)
		return state(c.Control) == "closed"
	})
	return int(b.calls.Load())
}

func TestShareOfFaultsOpens(t *testing.T) {
	for _, tc := range []struct {
		name            string
		volume, percent int
		min             int // calls until it opens; 0: never
	}{
		{"over the share", 20, 50, 20},
		{"over a later volume", 100, 50, 100},
		{"at the share", 20, 60, 20},
		{"under the share", 20, 65, 0},
		{"under the volume", 400, 50, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.ErrorPercent = tc.volume, tc.percent })
			calls := shares(t, b, c, 300)
			if opened := state(c.Control) == "open"; opened != (tc.min > 0) || calls < tc.min {
				t.Errorf("open: %v, after %d calls", opened, calls)
			}
		})
	}
}

// While there is no fault, successes are only counted: none may be lost for the
// share when faults begin.
func TestShareCountsSuccessesThatWaited(t *testing.T) {
	const volume = 5
	for _, tc := range []struct{ successes, age, want int }{
		{0, 0, volume},
		{25, 0, 25},
		{31, 0, 31},
		{32, 0, 32},
		{33, 0, 33},
		{100, 0, 99},
		{31, 9, 31},
		{31, 11, volume}, // what the window no longer holds does not count
	} {
		t.Run(fmt.Sprintf("%d of %d s ago", tc.successes, tc.age), func(t *testing.T) {
			t.Parallel()
			b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.Consecutive = volume, never })
			for range tc.successes {
				command.Succeeded(c.Control, time.Now().Add(-time.Duration(tc.age)*time.Second))
			}
			b.down.Store(true)
			pace(400, func(int) bool { return outcome(t.Context(), c, 1) == report.Failure })
			// 50 % is 49.5 % to hystrix-go; its monitor lags, which only adds calls.
			if n := int(b.calls.Load()); n < tc.want-1 || n > tc.want+25 {
				t.Errorf("it opened after %d faults, want %d", n, tc.want)
			}
		})
	}
}

// A healthy past leaves the window as it slides: calls that failed by a share from a
// moment on are too many after as long as their share has in the ten to eleven
// seconds that are counted. Times are told, none passes.
func TestShareOfAWindowThatSlides(t *testing.T) {
	for _, tc := range []struct {
		ofTen       int // calls that fail
		least, most time.Duration
	}{
		{4, 0, 0},
		{6, 8 * time.Second, 9500 * time.Millisecond},
		{8, 6 * time.Second, 7500 * time.Millisecond},
		{10, 4500 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d of 10", tc.ofTen), func(t *testing.T) {
			t.Parallel()
			_, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.ErrorPercent = 20, 50 })
			const every = 10 * time.Millisecond
			broken := time.Now().Add(-time.Hour)
			for at := -30 * time.Second; at < 0; at += every {
				command.Succeeded(c.Control, broken.Add(at))
			}
			opened := time.Duration(-1)
			for n := range 3000 {
				at := time.Duration(n) * every
				if n*7%10 < tc.ofTen {
					command.Failed(c.Control, broken.Add(at))
				} else {
					command.Succeeded(c.Control, broken.Add(at))
				}
				if command.Over(c.Control, broken.Add(at)) {
					opened = at
					break
				}
			}
			if opened < 0 != (tc.most == 0) || opened >= 0 && (opened < tc.least || opened > tc.most) {
				t.Errorf("too many after %v; want %v to %v", opened, tc.least, tc.most)
			}
		})
	}
}

// While there are faults, successes do not wait: they may complete the volume.
func TestSuccessAfterFaultsCompletesTheVolume(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.Consecutive = 41, never })
	b.down.Store(true)
	repeat(t, c, 40, report.Failure)
	b.down.Store(false)
	pace(31, func(int) bool { return outcome(t.Context(), c, 1) == report.Success })
	if state(c.Control) != "open" {
		t.Errorf("closed, after 40 faults of %d calls", b.calls.Load())
	}
}

func TestSuccessesAmongFaultsCount(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.ErrorPercent = 5, 50 })
	repeat(t, c, 40, report.Success)
	pace(100, func(i int) bool { // 1 fault in 4
		b.down.Store(i%4 == 0)
		outcome(t.Context(), c, i)
		return true
	})
	if state(c.Control) != "closed" {
		t.Error("25 % of faults opened it")
	}
}

// After the old window is forgotten, the share counts as before.
func TestShareOpensAgain(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.Sleep = 20, 20*time.Millisecond })
	for range 3 {
		before := b.calls.Load()
		if calls := shares(t, b, c, 300) - int(before); state(c.Control) != "open" || calls < 19 {
			t.Fatalf("%s after %d calls", state(c.Control), calls)
		}
		b.down.Store(false)
		eventually(t, "a probe closes it", func() bool { outcome(t.Context(), c, 1); return state(c.Control) == "closed" })
	}
}
