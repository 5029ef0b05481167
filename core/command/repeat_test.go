package command_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// unsteady is a backend of so many instances, each call of which goes to one that
// the command has not been on, as a client does it.
type unsteady struct {
	instances int
	answer    func(ctx context.Context, attempt int) (int, error)
	calls     atomic.Int64
}

func (u *unsteady) ask(ctx context.Context, _ int) (int, error) {
	spread, free := report.CallFrom(ctx).Spread, false
	for i := range u.instances {
		if free = spread == nil || spread.Take(fmt.Sprint(i)); free {
			break
		}
	}
	if !free {
		return 0, fault.Because(fault.ReasonError, report.ErrNoOther)
	}
	return u.answer(ctx, int(u.calls.Add(1)))
}

func (u *unsteady) command(t *testing.T, change func(*command.Policy)) *command.Command[int, int] {
	t.Helper()
	c := command.New("test.repeat", u.ask).Safe()
	c.Under(command.NewBudget())
	configure(t, c.Control, func(p *command.Policy) {
		p.Timeout, p.Retry = time.Minute, command.Retry{Attempts: 3}
		change(p)
	})
	return c
}

// failing answers from the n-th attempt on.
func failing(n int, err error) func(context.Context, int) (int, error) {
	return func(_ context.Context, attempt int) (int, error) {
		if attempt < n {
			return 0, err
		}
		return attempt, nil
	}
}

// TestNoOtherInstanceSpendsNothing of the budget, which others of the service need.
func TestNoOtherInstanceSpendsNothing(t *testing.T) {
	u := &unsteady{instances: 1, answer: failing(never, fault.New(fault.Unavailable, ""))}
	budget := command.NewBudget()
	c := u.command(t, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Volume = never, never })
	c.Under(budget)
	repeat(t, c, 200, report.Failure)
	if n := budget.Refused(); n != 0 || c.Stats().Retries != 0 {
		t.Errorf("%d refused, %d retries", n, c.Stats().Retries)
	}
}

func TestRetries(t *testing.T) {
	unavailable, limited := fault.New(fault.Unavailable, ""), fault.New(fault.Limited, "")
	for _, tc := range []struct {
		name      string
		instances int
		answer    func(context.Context, int) (int, error)
		attempts  int
		outcome   report.Outcome
		calls     int
	}{
		{"nothing fails", 5, failing(1, nil), 3, report.Success, 1},
		{"the second answers", 5, failing(2, unavailable), 3, report.Success, 2},
		{"the last answers", 5, failing(3, unavailable), 3, report.Success, 3},
		{"none answers", 5, failing(9, unavailable), 3, report.Failure, 3},
		{"a plain error", 5, failing(2, errPlain), 2, report.Success, 2},
		{"one instance only", 1, failing(2, unavailable), 3, report.Failure, 1},
		{"two instances for three attempts", 2, failing(9, unavailable), 3, report.Failure, 2},
		{"the question is at fault", 5, failing(9, fault.New(fault.NotFound, "")), 3, report.CallerFault, 1},
		{"it asks for fewer calls", 5, failing(9, limited), 3, report.Failure, 1},
		{"no retries", 5, failing(2, unavailable), 1, report.Failure, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := &unsteady{instances: tc.instances, answer: tc.answer}
			c := u.command(t, func(p *command.Policy) { p.Retry.Attempts = tc.attempts })
			got := outcome(t.Context(), c, 1)
			if got != tc.outcome || int(u.calls.Load()) != tc.calls {
				t.Errorf("%v after %d calls", got, u.calls.Load())
			}
			s := c.Stats()
			var runs uint64
			for _, n := range s.Outcomes {
				runs += n
			}
			if runs != 1 || int(s.Retries) != tc.calls-1 || s.InFlight != 0 {
				t.Errorf("%d runs were counted, %d retries, %d in flight", runs, s.Retries, s.InFlight)
			}
		})
	}
}

// TestCircuitCountsRunsNotAttempts: two of three attempts fail, and every run is a success.
func TestCircuitCountsRunsNotAttempts(t *testing.T) {
	u := &unsteady{instances: 9, answer: func(_ context.Context, attempt int) (int, error) {
		if attempt%3 != 0 {
			return 0, errPlain
		}
		return attempt, nil
	}}
	c := u.command(t, func(p *command.Policy) { p.Circuit.Consecutive = 2 })
	b := command.NewBudget()
	b.Configure(100, 1000)
	c.Under(b)
	repeat(t, c, 50, report.Success)
	if s := c.Stats(); s.Circuit != "closed" || s.Outcomes["failure"] != 0 || s.Retries != 100 {
		t.Errorf("%+v", s)
	}
}

func TestAttemptTimeout(t *testing.T) {
	var ended atomic.Int64
	hang := func(ctx context.Context, attempt int) (int, error) {
		if attempt > 1 {
			return attempt, nil
		}
		<-ctx.Done()
		ended.Add(1)
		return 0, fmt.Errorf("read: %w", ctx.Err())
	}
	u := &unsteady{instances: 3, answer: hang}
	c := u.command(t, func(p *command.Policy) { p.AttemptTimeout = 5 * time.Millisecond })
	if got := outcome(t.Context(), c, 1); got != report.Success || ended.Load() != 1 {
		t.Errorf("%v, %d attempts were ended", got, ended.Load())
	}
	u = &unsteady{instances: 1, answer: hang}
	c = u.command(t, func(p *command.Policy) { p.AttemptTimeout = 5 * time.Millisecond })
	_, part, err := run(t.Context(), c.Observe(1))
	if part.Mark.Reason != fault.ReasonTimeout || !errors.Is(err, command.ErrTimeout) || c.Stats().Outcomes["timeout"] != 1 {
		t.Errorf("%v, %v, %v", part.Mark, err, c.Stats().Outcomes)
	}
}

// TestNoRetryWithoutTime: what could not end in time is not begun.
func TestNoRetryWithoutTime(t *testing.T) {
	u := &unsteady{instances: 5, answer: failing(9, errPlain)}
	c := u.command(t, func(p *command.Policy) {
		p.Timeout, p.Retry.Backoff = 50*time.Millisecond, 10*time.Second
	})
	began := time.Now()
	if got := outcome(t.Context(), c, 1); got != report.Failure || u.calls.Load() != 1 || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %d calls and %v", got, u.calls.Load(), time.Since(began))
	}
	ctx, cancel := context.WithCancel(t.Context())
	u = &unsteady{instances: 5, answer: func(context.Context, int) (int, error) { cancel(); return 0, errPlain }}
	c = u.command(t, asIs)
	if outcome(ctx, c, 1); u.calls.Load() != 1 {
		t.Errorf("%d calls for a client that left", u.calls.Load())
	}
}

func TestBackoffIsDoubledAndJittered(t *testing.T) {
	for n, ms := range []int{10, 20, 40, 80} {
		want := time.Duration(ms) * time.Millisecond
		low, high := time.Hour, time.Duration(0)
		for range 1000 {
			d := command.Pause(command.Retry{Backoff: 10 * time.Millisecond}, n+1)
			low, high = min(low, d), max(high, d)
		}
		if low < want/2 || low > want*6/10 || high > want || high < want*9/10 {
			t.Errorf("after attempt %d: %v to %v", n+1, low, high)
		}
	}
	if d := command.Pause(command.Retry{}, 4); d != 0 {
		t.Errorf("%v without a backoff", d)
	}
}

// TestFailingServiceIsAskedLittleMore: the budget holds over all commands of a service.
func TestFailingServiceIsAskedLittleMore(t *testing.T) {
	u := &unsteady{instances: 9, answer: failing(never, errPlain)}
	budget := command.NewBudget()
	budget.Configure(10, 1)
	var commands []*command.Command[int, int]
	for range 2 {
		c := u.command(t, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Volume = never, never })
		c.Under(budget)
		commands = append(commands, c)
	}
	const runs = 500
	for i := range runs {
		repeat(t, commands[i%2], 1, report.Failure)
	}
	const floor = 10 // of the window of 10 s
	if calls := u.calls.Load(); calls < runs+runs/20 || calls > runs+runs/10+floor || budget.Refused() == 0 {
		t.Errorf("%d calls for %d runs, %d refused", calls, runs, budget.Refused())
	}
}

func TestNoBudgetNoRetry(t *testing.T) {
	u := &unsteady{instances: 9, answer: failing(never, errPlain)}
	c := u.command(t, asIs)
	c.Under(nil)
	if outcome(t.Context(), c, 1); u.calls.Load() != 1 {
		t.Errorf("%d calls", u.calls.Load())
	}
}

func TestBatchIsRetriedAsAWhole(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	c.Safe().Under(command.NewBudget())
	configure(t, c.Control, func(p *command.Policy) { p.Retry = command.Retry{Attempts: 2} })
	failures := 0
	s.failing(func([]int) error {
		if failures++; failures == 1 {
			return errPlain
		}
		return nil
	})
	askAll(t, c, upTo(5), report.Live, map[int]int{0: 0, 1: 10, 2: 20, 3: 30, 4: 40})
	if asked := s.asked(); len(asked) != 2 || len(asked[1]) != 5 || c.Stats().Retries != 1 {
		t.Errorf("asked for %v, %d retries", asked, c.Stats().Retries)
	}
}
