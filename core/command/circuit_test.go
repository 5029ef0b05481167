package command_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// backend is what a command of these tests calls.
type backend struct {
	down  atomic.Bool
	calls atomic.Int64
	slow  atomic.Bool
	hang  chan struct{} // queries below 0 wait here, and all while it is slow
}

func (b *backend) ask(ctx context.Context, query int) (int, error) {
	b.calls.Add(1)
	down := b.down.Load()
	if query < 0 || b.slow.Load() {
		select {
		case <-b.hang:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if down {
		return 0, errPlain
	}
	return query, nil
}

const never = 1_000_000 // a limit that no test reaches

// newBackend returns a backend and the command that calls it. Its circuit opens
// by the consecutive faults alone, unless change says otherwise.
func newBackend(t *testing.T, change func(*command.Policy)) (*backend, *command.Command[int, int]) {
	t.Helper()
	b := &backend{hang: make(chan struct{})}
	c := command.New("test.circuit", b.ask).Safe()
	configure(t, c.Control, func(p *command.Policy) {
		p.Timeout, p.MaxConcurrent = time.Minute, 1000
		p.Circuit = command.Circuit{Volume: never, ErrorPercent: 50, Consecutive: 20, Sleep: time.Hour}
		change(p)
	})
	return b, c
}

func asIs(*command.Policy) {}

// setSleep changes the sleep window. One that has begun may become shorter by it, never longer.
func setSleep(t *testing.T, c *command.Control, sleep time.Duration) {
	t.Helper()
	configure(t, c, func(p *command.Policy) { p.Circuit.Sleep = sleep })
}

func TestConsecutiveFaultsOpen(t *testing.T) {
	kinds := []struct {
		name string
		want report.Outcome
		run  func(context.Context, int) (int, error)
	}{
		{"failure", report.Failure, func(context.Context, int) (int, error) { return 0, errPlain }},
		{"bad answer", report.Failure, func(context.Context, int) (int, error) { return 0, fault.New(fault.BadAnswer, "") }},
		{"panic", report.Failure, func(context.Context, int) (int, error) { panic("index out of range") }},
		{"deadline", report.TimedOut, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }},
	}
	for _, kind := range kinds {
		for _, n := range []int{1, 2, 5, command.DefaultPolicy().Circuit.Consecutive, 50} {
			t.Run(fmt.Sprintf("%s %d", kind.name, n), func(t *testing.T) {
				c := command.New("test.consecutive", kind.run)
				configure(t, c.Control, func(p *command.Policy) {
					p.Timeout, p.Circuit.Volume, p.Circuit.Consecutive = time.Minute, never, n
					if kind.want == report.TimedOut {
						p.Timeout = time.Millisecond
					}
				})
				repeat(t, c, n-1, kind.want)
				if state(c.Control) != "closed" {
					t.Fatalf("open before %d faults", n)
				}
				repeat(t, c, 1, kind.want)
				repeat(t, c, 5, report.ShortCircuited)
				if s := c.Stats(); s.Circuit != "open" || s.Opened != 1 || s.Outcomes["short_circuited"] != 5 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestDefaultOpensAfterTwentyFaults(t *testing.T) {
	c := command.New("test.defaults", func(context.Context, int) (int, error) { return 0, errPlain })
	repeat(t, c, 20, report.Failure)
	repeat(t, c, 1, report.ShortCircuited)
}

func TestSuccessBreaksTheRow(t *testing.T) {
	b, c := newBackend(t, asIs)
	for range 5 {
		b.down.Store(true)
		repeat(t, c, 19, report.Failure)
		b.down.Store(false)
		repeat(t, c, 1, report.Success)
	}
	if state(c.Control) != "closed" {
		t.Error("19 faults in a row opened it")
	}
}

// TestCallersFaultsHideNoFaults: who asks for what there is not does not keep the
// circuit of a broken backend closed.
func TestCallersFaultsHideNoFaults(t *testing.T) {
	for name, circuit := range map[string]command.Circuit{
		"in a row":   {Volume: never, ErrorPercent: 50, Consecutive: 20, Sleep: time.Hour},
		"percentage": {Volume: 20, ErrorPercent: 50, Consecutive: never, Sleep: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			c := command.New("test.hide", func(_ context.Context, query int) (int, error) {
				if query < 0 {
					return 0, fault.New(fault.NotFound, "")
				}
				return 0, errPlain
			})
			configure(t, c.Control, func(p *command.Policy) { p.Circuit = circuit })
			for range 20 {
				for range 3 {
					outcome(t.Context(), c, -1)
				}
				outcome(t.Context(), c, 1)
			}
			eventually(t, "the circuit is open", func() bool { return outcome(t.Context(), c, 1) == report.ShortCircuited })
		})
	}
}

func TestHealthyPastDelaysNothing(t *testing.T) {
	b, c := newBackend(t, asIs)
	repeat(t, c, 5000, report.Success)
	b.down.Store(true)
	repeat(t, c, 20, report.Failure)
	repeat(t, c, 1, report.ShortCircuited)
}

// The limits are the strictest there are: one fault would open the circuit.
func TestWhatIsNotTheBackendsNeverOpens(t *testing.T) {
	strict := func(p *command.Policy) {
		p.Timeout, p.Circuit = time.Minute, command.Circuit{Volume: 1, ErrorPercent: 1, Consecutive: 1, Sleep: time.Hour}
	}
	t.Run("callers' faults", func(t *testing.T) {
		c := command.New("test.not_found", func(context.Context, int) (int, error) { return 0, fault.New(fault.NotFound, "") })
		configure(t, c.Control, strict)
		repeat(t, c, 1000, report.CallerFault)
	})
	t.Run("clients that left", func(t *testing.T) {
		leave := make(chan context.CancelFunc, 1)
		c := command.New("test.left", func(ctx context.Context, _ int) (int, error) {
			(<-leave)()
			<-ctx.Done()
			return 0, ctx.Err()
		})
		configure(t, c.Control, strict)
		for range 1000 {
			ctx, cancel := context.WithCancel(t.Context()) //nolint:gosec // whoever reads leave calls it
			leave <- cancel
			if got := outcome(ctx, c, 1); got != report.Canceled {
				t.Fatal(got)
			}
		}
	})
}

func TestLateSuccessDoesNotClose(t *testing.T) {
	b, c := newBackend(t, asIs)
	var slow sync.WaitGroup
	slow.Go(func() {
		if got := outcome(t.Context(), c, -1); got != report.Success {
			t.Errorf("the slow call: %v", got)
		}
	})
	eventually(t, "the slow call is in", func() bool { return b.calls.Load() == 1 })
	b.down.Store(true)
	repeat(t, c, 20, report.Failure)
	close(b.hang)
	slow.Wait()
	repeat(t, c, 100, report.ShortCircuited)
	if b.calls.Load() != 21 {
		t.Errorf("%d calls", b.calls.Load())
	}
}

func TestLateFaultsDoNotReopen(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Sleep, p.Circuit.Volume = time.Millisecond, 20 })
	b.down.Store(true)
	var slow sync.WaitGroup
	for range 100 {
		slow.Go(func() {
			if got := outcome(t.Context(), c, -1); got != report.Failure {
				t.Errorf("a slow call: %v", got)
			}
		})
	}
	eventually(t, "the slow calls are in", func() bool { return b.calls.Load() == 100 })
	repeat(t, c, 20, report.Failure)
	b.down.Store(false)
	eventually(t, "a probe closes it", func() bool { outcome(t.Context(), c, 1); return state(c.Control) == "closed" })
	close(b.hang)
	slow.Wait()
	pace(50, func(int) bool { return outcome(t.Context(), c, 1) == report.Success })
	if s := c.Stats(); s.Opened != 1 || s.Circuit != "closed" {
		t.Errorf("%+v", s)
	}
}

func TestOldWindowDoesNotReopen(t *testing.T) {
	for _, faults := range []int{20, 19, 10, 3} { // beyond and below the volume
		for _, past := range []int{0, 25} {
			t.Run(fmt.Sprintf("%d faults after %d successes", faults, past), func(t *testing.T) {
				t.Parallel()
				b, c := newBackend(t, func(p *command.Policy) {
					p.Circuit = command.Circuit{Volume: 20, ErrorPercent: 20, Consecutive: faults, Sleep: 50 * time.Millisecond}
				})
				repeat(t, c, past, report.Success)
				b.down.Store(true)
				pace(faults, func(int) bool { outcome(t.Context(), c, 1); return true })
				if state(c.Control) != "open" {
					t.Fatal("it is not open")
				}
				b.down.Store(false)
				eventually(t, "a probe closes it", func() bool { outcome(t.Context(), c, 1); return state(c.Control) == "closed" })
				configure(t, c.Control, func(p *command.Policy) { p.Circuit.Consecutive = never })
				pace(80, func(i int) bool { // 1 fault in 10, of which the first comes early
					b.down.Store(i%10 == 2)
					outcome(t.Context(), c, i)
					return true
				})
				if s := c.Stats(); s.Opened != 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}
