package command_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// look runs a command once, and shows the context that its run gets.
func look(ctx context.Context, t *testing.T, timeout time.Duration, at func(context.Context)) {
	t.Helper()
	c := command.New("test.context", func(ctx context.Context, _ int) (int, error) {
		at(ctx)
		return 0, nil
	})
	configure(t, c.Control, func(p *command.Policy) { p.Timeout = timeout })
	outcome(ctx, c, 1)
}

func TestRunContextIsAContext(t *testing.T) {
	leaving := errors.New("leaving")
	type keyOf struct{}
	for _, tc := range []struct {
		name    string
		timeout time.Duration
		look    func(ctx context.Context, leave context.CancelCauseFunc) (cause error)
		want    error
	}{
		{"its own deadline, waited for", 20 * time.Millisecond, func(ctx context.Context, _ context.CancelCauseFunc) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, command.ErrTimeout},
		{"its own deadline, asked for", 20 * time.Millisecond, func(ctx context.Context, _ context.CancelCauseFunc) error {
			spin(func() bool { return ctx.Err() != nil })
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			return context.Cause(ctx)
		}, command.ErrTimeout},
		{"the end of the request, asked for", time.Minute, func(ctx context.Context, leave context.CancelCauseFunc) error {
			leave(leaving)
			if !errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return context.Cause(ctx)
		}, leaving},
		{"the end of the request, waited for", time.Minute, func(ctx context.Context, leave context.CancelCauseFunc) error {
			done := ctx.Done()
			leave(leaving)
			<-done
			return context.Cause(ctx)
		}, leaving},
		{"a child hears of the end", 20 * time.Millisecond, func(ctx context.Context, _ context.CancelCauseFunc) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			<-child.Done()
			return context.Cause(child)
		}, command.ErrTimeout},
		{"a hook hears of the end", time.Minute, func(ctx context.Context, leave context.CancelCauseFunc) error {
			heard := make(chan error, 1)
			context.AfterFunc(ctx, func() { heard <- context.Cause(ctx) })
			leave(leaving)
			return <-heard
		}, leaving},
		{"nothing has ended", time.Minute, func(ctx context.Context, _ context.CancelCauseFunc) error {
			return errors.Join(ctx.Err(), context.Cause(ctx))
		}, nil},
		{"what the request carries", time.Minute, func(ctx context.Context, _ context.CancelCauseFunc) error {
			if ctx.Value(keyOf{}) != "carried" || report.CallFrom(ctx) == nil || report.From(ctx) == nil {
				return errors.New("it is lost")
			}
			_ = ctx.Done() // armed, it carries the same
			if ctx.Value(keyOf{}) != "carried" || report.CallFrom(ctx) == nil || report.From(ctx) == nil {
				return errors.New("it is lost once somebody waits")
			}
			return nil
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, leave := context.WithCancelCause(context.WithValue(t.Context(), keyOf{}, "carried"))
			defer leave(nil)
			seen := make(chan error, 1)
			look(ctx, t, tc.timeout, func(ctx context.Context) { seen <- tc.look(ctx, leave) })
			if got := <-seen; !errors.Is(got, tc.want) || tc.want == nil && got != nil {
				t.Fatalf("cause %v, want %v", got, tc.want)
			}
		})
	}
}

// spin asks until holds says so, or five seconds have passed.
func spin(holds func() bool) {
	for end := time.Now().Add(5 * time.Second); !holds() && time.Now().Before(end); {
	}
}

func TestRunContextHasTheEarlierDeadline(t *testing.T) {
	request, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	whole, _ := request.Deadline()
	for timeout, own := range map[time.Duration]bool{time.Second: true, 5 * time.Minute: false} {
		began := time.Now()
		look(request, t, timeout, func(ctx context.Context) {
			d, ok := ctx.Deadline()
			if !ok || own && d.After(began.Add(2*timeout)) || !own && !d.Equal(whole) {
				t.Errorf("timeout %v: deadline in %v, %v", timeout, d.Sub(began), ok)
			}
		})
	}
}

// A context that outlives its run has ended, whether anybody had waited or not.
func TestRunContextEndsWithItsRun(t *testing.T) {
	for name, use := range map[string]func(context.Context){
		"nobody waited":   func(context.Context) {},
		"somebody waited": func(ctx context.Context) { _ = ctx.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			var kept context.Context
			look(t.Context(), t, time.Minute, func(ctx context.Context) { use(ctx); kept = ctx })
			select {
			case <-kept.Done():
			case <-time.After(5 * time.Second):
				t.Fatal("it goes on")
			}
			if !errors.Is(kept.Err(), context.Canceled) {
				t.Fatal(kept.Err())
			}
		})
	}
}
