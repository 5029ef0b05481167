package command_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

var (
	errPlain  = errors.New("connection refused")
	errBudget = fault.Because(fault.ReasonBudget, errors.New("the page has had its time"))
)

// attempt is one call in a table: leave is the client's.
type attempt func(ctx context.Context, leave func()) error

// untilEnded is what a client does that waits for its context, and then
// says so in its own words.
func untilEnded(say func(context.Context) error) attempt {
	return func(ctx context.Context, _ func()) error {
		<-ctx.Done()
		return say(ctx)
	}
}

func says(err error) func(context.Context) error { return func(context.Context) error { return err } }

func fails(err error) attempt { return func(context.Context, func()) error { return err } }

func whenLeft(say func(context.Context) error) attempt {
	return func(ctx context.Context, leave func()) error {
		leave()
		<-ctx.Done()
		return say(ctx)
	}
}

func TestOutcomes(t *testing.T) {
	const short, long = 10 * time.Millisecond, time.Minute
	slowRead := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	canceled := &url.Error{Op: "Get", URL: "http://127.0.0.1/", Err: context.Canceled}
	for _, tc := range []struct {
		name    string
		timeout time.Duration
		attempt attempt
		want    report.Outcome
		reason  fault.Reason
	}{
		{"answered", long, fails(nil), report.Success, fault.None},
		{"plain error", long, fails(errPlain), report.Failure, fault.ReasonError},
		{"unavailable", long, fails(fault.New(fault.Unavailable, "")), report.Failure, fault.ReasonError},
		{"bad answer", long, fails(fault.New(fault.BadAnswer, "")), report.Failure, fault.ReasonInvalid},
		{"a backend's own 504", long, fails(fault.New(fault.Timeout, "")), report.Failure, fault.ReasonTimeout},
		{"overloaded", long, fails(fault.New(fault.Limited, "")), report.Failure, fault.ReasonError},
		{"panic", long, func(context.Context, func()) error { panic("nil map") }, report.Failure, fault.ReasonPanic},
		{"a context of the call's own", long, fails(canceled), report.Failure, fault.ReasonError},

		{"deadline", short, untilEnded(context.Context.Err), report.TimedOut, fault.ReasonTimeout},
		{"deadline, with its cause", short, untilEnded(context.Cause), report.TimedOut, fault.ReasonTimeout},
		{"deadline of a socket", short, untilEnded(says(slowRead)), report.TimedOut, fault.ReasonTimeout},
		{"deadline in a protocol's words", short, untilEnded(says(errPlain)), report.TimedOut, fault.ReasonTimeout},
		{"answered after the deadline", short, untilEnded(says(nil)), report.Success, fault.None},
		{"failed after the deadline", short, untilEnded(says(fault.New(fault.BadAnswer, ""))), report.Failure, fault.ReasonInvalid},
		{"left after the deadline", short, func(ctx context.Context, leave func()) error {
			<-ctx.Done()
			leave()
			return ctx.Err()
		}, report.TimedOut, fault.ReasonTimeout},

		{"left", long, whenLeft(context.Context.Err), report.Canceled, fault.ReasonCanceled},
		{"left, with its cause", long, whenLeft(context.Cause), report.Canceled, fault.ReasonCanceled},
		{"left, by net/http", long, whenLeft(says(canceled)), report.Canceled, fault.ReasonCanceled},
		{"left, by a fault", long, whenLeft(says(fault.Because(fault.ReasonError, canceled))), report.Canceled, fault.ReasonCanceled},
		{"left, by a closed socket", long, whenLeft(says(fmt.Errorf("read: %w", net.ErrClosed))), report.Canceled, fault.ReasonCanceled},
		{"left, in a protocol's words", long, whenLeft(says(errPlain)), report.Canceled, fault.ReasonCanceled},
		{"left, but it failed", long, whenLeft(says(fault.New(fault.Unavailable, ""))), report.Failure, fault.ReasonError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			leave := func() { cancel(errors.New("the client closed the connection")) }
			c := command.New("test.outcome", func(ctx context.Context, _ int) (int, error) { return 1, tc.attempt(ctx, leave) })
			configure(t, c.Control, func(p *command.Policy) { p.Timeout = tc.timeout })
			checkOutcome(ctx, t, c, report.New("", report.Trace{}), tc.want, tc.reason)
		})
	}
}

// checkOutcome runs a command once and checks the record, the part and the counters.
func checkOutcome(
	ctx context.Context, t *testing.T, c *command.Command[int, int], r *report.Report, want report.Outcome, reason fault.Reason,
) {
	t.Helper()
	_, r, err := runWith(ctx, r, c.Observe(1))
	call, mark := r.Calls()[0], r.Parts[0].Mark
	if call.Outcome != want || fault.ReasonOf(call.Err) != reason || mark.Reason != reason || call.Mark != mark {
		t.Errorf("outcome %v, reasons %v %v (%v), want %v %v", call.Outcome, fault.ReasonOf(call.Err), mark.Reason, call.Err, want, reason)
	}
	if (err == nil) != (want == report.Success) {
		t.Errorf("error %v of %v", err, want)
	}
	stats := c.Stats()
	for name, n := range stats.Outcomes {
		if (n == 1) != (name == want.String()) || n > 1 {
			t.Errorf("counted %d of %s", n, name)
		}
	}
	if stats.InFlight != 0 {
		t.Errorf("%d in flight", stats.InFlight)
	}
}

func untilItEnds(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestPageDeadline(t *testing.T) {
	for _, tc := range []struct {
		name            string
		timeout, budget time.Duration // of the call, of the page
		left            time.Duration // of the page when the call begins
		want            report.Outcome
	}{
		{"all of its time", 400 * time.Millisecond, 800 * time.Millisecond, 390 * time.Millisecond, report.TimedOut},
		{"over half of its time", 400 * time.Millisecond, 800 * time.Millisecond, 300 * time.Millisecond, report.TimedOut},
		{"under half of its time", 400 * time.Millisecond, 800 * time.Millisecond, 100 * time.Millisecond, report.Canceled},
		{"all of a short page", time.Minute, 300 * time.Millisecond, 300 * time.Millisecond, report.TimedOut},
		{"the end of a short page", time.Minute, 300 * time.Millisecond, 100 * time.Millisecond, report.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, cause := range []error{errBudget, nil} { // nil: a page's deadline that does not say so
				c := command.New("test.budget", untilItEnds)
				configure(t, c.Control, func(p *command.Policy) { p.Timeout = tc.timeout })
				r := report.New("", report.Trace{})
				r.Budget, r.Began = tc.budget, time.Now().Add(tc.left-tc.budget)
				ctx, cancel := context.WithTimeoutCause(t.Context(), tc.left, cause)
				defer cancel()
				checkOutcome(ctx, t, c, r, tc.want, fault.ReasonBudget)
			}
		})
	}
}

// TestClientInAHurry: a call that the client's own limit cut short counts as a timeout
// only if it had as long as calls of late have taken, or most of them.
func TestClientInAHurry(t *testing.T) {
	const timeout, left = 200 * time.Millisecond, 130 * time.Millisecond // over half of it
	for name, tc := range map[string]struct {
		usual time.Duration // 0: nobody knows
		want  report.Outcome
	}{
		"slower calls":  {150 * time.Millisecond, report.Canceled},
		"quicker calls": {5 * time.Millisecond, report.TimedOut},
		"no calls":      {0, report.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := command.New("test.hurry", func(ctx context.Context, query int) (int, error) {
				if query == 0 {
					return untilItEnds(ctx, query)
				}
				if query%10 == 0 {
					time.Sleep(tc.usual / 3) // some are quick enough for the page
				} else {
					time.Sleep(tc.usual)
				}
				return query, nil
			})
			configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.MaxConcurrent = timeout, 200 })
			learn(t, c, tc.usual)
			r := report.New("", report.Trace{})
			r.Budget = time.Second
			ctx, cancel := context.WithTimeoutCause(t.Context(), left, errBudget)
			defer cancel()
			_, r, _ = runWith(ctx, r, c.Observe(0))
			if got := r.Calls()[0].Outcome; got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}

// learn has a command know how long its calls take.
func learn(t *testing.T, c *command.Command[int, int], usual time.Duration) {
	t.Helper()
	if usual == 0 {
		return
	}
	var all sync.WaitGroup
	for i := range 150 {
		all.Go(func() { _, _, _ = run(t.Context(), c.Observe(i+1)) })
	}
	all.Wait()
	eventually(t, "it is known how long a call takes", func() bool {
		p95, known := command.LatencyQuantile(c.Control, 0.95)
		return known && p95 >= usual
	})
}

// A required part that fails ends the page's other calls, whatever it failed of:
// that says nothing about their backends.
func TestAnotherPartsFaultIsNotTheirs(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(context.Context, int) (int, error)
	}{
		{"timeout", untilItEnds},
		{"failure", func(context.Context, int) (int, error) { return 0, errPlain }},
		{"not found", func(context.Context, int) (int, error) { return 0, fault.New(fault.NotFound, "") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			begun := make(chan struct{})
			needed := command.New("test.needed", func(ctx context.Context, q int) (int, error) { <-begun; return tc.run(ctx, q) })
			configure(t, needed.Control, func(p *command.Policy) { p.Timeout = 10 * time.Millisecond })
			other := command.New("test.other", func(ctx context.Context, _ int) (int, error) {
				close(begun)
				<-ctx.Done()
				return 0, ctx.Err()
			})
			configure(t, other.Control, func(p *command.Policy) { p.Timeout = time.Minute })

			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errBudget)
			defer cancel()
			_ = runParts(ctx, []stream.Part[struct{}]{
				stream.Optional("other", other.Observe(1), func(*struct{}, int) {}),
				stream.Required("needed", needed.Observe(1), func(*struct{}, int) {}),
			})
			if got := other.Stats().Outcomes; got["canceled"] != 1 {
				t.Errorf("%v", got)
			}
		})
	}
}

// The cause of a cancel may itself be a timeout, of another call: it is none of this one.
func TestCanceledForAnothersTimeout(t *testing.T) {
	page, done := context.WithTimeoutCause(t.Context(), time.Minute, errBudget)
	defer done()
	ctx, cancel := context.WithCancelCause(page)
	c := command.New("test.cause", func(ctx context.Context, q int) (int, error) {
		cancel(command.ErrTimeout)
		return untilItEnds(ctx, q)
	})
	configure(t, c.Control, func(p *command.Policy) { p.Timeout = 50 * time.Second })
	checkOutcome(ctx, t, c, report.New("", report.Trace{}), report.Canceled, fault.ReasonCanceled)
}

func TestClientLeavesByNetHTTP(t *testing.T) {
	arrived := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	c := command.New("test.net_http", func(ctx context.Context, _ int) (int, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			return 0, err
		}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	})
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.Circuit.Consecutive = time.Minute, 1 })
	for range 25 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		if got := outcome(ctx, c, 1); got != report.Canceled {
			t.Fatalf("%v, want canceled", got)
		}
	}
	if state(c.Control) != "closed" {
		t.Error("clients that left opened the circuit")
	}
}

func TestCallersFaults(t *testing.T) {
	for _, code := range fault.Codes() {
		t.Run(code.String(), func(t *testing.T) {
			c := command.New("test.code", func(context.Context, int) (int, error) { return 0, fmt.Errorf("catalog: %w", fault.New(code, "")) })
			want := report.Failure
			if code.Status() < 500 && code != fault.Limited && code != fault.Canceled {
				want = report.CallerFault
			}
			if got := outcome(t.Context(), c, 1); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	c := command.New("test.refused", func(context.Context, int) (int, error) {
		return 0, &fault.Error{Code: fault.BadAnswer, Reason: fault.ReasonError, Cause: fault.ErrRefused}
	}).Default(func(int) int { return 9 })
	if value, part, err := run(t.Context(), c.Observe(1)); value != 9 || err != nil || part.Mark.Reason != fault.ReasonError {
		t.Errorf("%d, %+v, %v: what is refused is no answer", value, part, err)
	}
	if got := outcome(t.Context(), c, 1); got != report.CallerFault {
		t.Errorf("refused: %v", got)
	}
}
