package exposure_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/exposure"
)

// long is longer than anything here takes.
const long = 20 * time.Second

// noon is the beginning of a window, whatever its length here.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// book is a handler that remembers lines.
type book struct {
	mu    sync.Mutex
	lines []line
}

type line struct {
	message string
	at      time.Time
	attrs   map[string]any
}

func (b *book) Enabled(context.Context, slog.Level) bool { return true }

func (b *book) Handle(_ context.Context, r slog.Record) error {
	l := line{r.Message, r.Time, make(map[string]any)}
	r.Attrs(func(a slog.Attr) bool {
		l.attrs[a.Key] = a.Value.Any()
		if err, ok := a.Value.Any().(error); ok {
			l.attrs[a.Key] = err.Error()
		}
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
	return nil
}

func (b *book) WithAttrs([]slog.Attr) slog.Handler { return b }
func (b *book) WithGroup(string) slog.Handler      { return b }

// all returns the lines of a message.
func (b *book) all(message string) []line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.lines), func(l line) bool { return l.message != message })
}

// text returns all lines, to be searched.
func (b *book) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(b.lines)
}

// exposures returns an attribute of each exposure.
func (b *book) exposures(attr string) []any {
	var all []any
	for _, l := range b.all("feature_flag.evaluation") {
		all = append(all, l.attrs[attr])
	}
	return all
}

// start returns a recorder that is closed with the test.
func start(tb testing.TB, o exposure.Options, to slog.Handler) *exposure.Recorder {
	tb.Helper()
	r, err := exposure.New(o, slog.New(to))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = stop(r) })
	return r
}

func stop(r *exposure.Recorder) error {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	return r.Close(ctx)
}

// seen is a unit that saw a candidate.
func seen(unit string) exposure.Event {
	return exposure.Event{
		Class:    "phone",
		Assigned: rollout.Assignment{Version: "v2", Rollout: "reviews-first", Arm: rollout.Candidate, Why: rollout.Split},
		Revision: 17, Unit: unit, Request: "req-1",
		Trace: report.Trace{ID: [16]byte{0x4b, 0xf9, 0x2f, 0x35, 15: 0x36}}, At: noon,
	}
}

// with changes an event.
func with(e exposure.Event, change func(e *exposure.Event)) exposure.Event {
	change(&e)
	return e
}

// eventually polls until something holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(long); !holds(); {
		if time.Now().After(end) {
			tb.Fatalf("not within %v: %s", long, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// told waits until nothing is queued and each exposure has come to something.
func told(tb testing.TB, r *exposure.Recorder, sinks uint64) exposure.Stats {
	tb.Helper()
	eventually(tb, "all is told", func() bool {
		s := r.Stats()
		return s.Queued == 0 && s.Logged+s.Published+s.Failed >= sinks*s.Told
	})
	return r.Stats()
}
