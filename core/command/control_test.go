package command_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

func TestNames(t *testing.T) {
	run := func(context.Context, int) (int, error) { return 1, nil }
	if got := command.New("catalog.top_10", run).Name(); got != "catalog.top_10" {
		t.Error(got)
	}
	for _, name := range []string{"", "catalog", "catalog.", ".product", "Catalog.product", "a.b.c", "a.b c", "1.a", "a.1", "a.b\n"} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			command.New(name, run)
		})
	}
}

func TestConfigureRefuses(t *testing.T) {
	const days = 30 * 24 * time.Hour
	for _, tc := range []struct {
		field  string
		change func(*command.Policy)
	}{
		{"timeout", func(p *command.Policy) { p.Timeout = 0 }},
		{"timeout", func(p *command.Policy) { p.Timeout = -1 }},
		{"timeout", func(p *command.Policy) { p.Timeout = 10*time.Minute + 1 }},
		{"max_concurrent", func(p *command.Policy) { p.MaxConcurrent = 0 }},
		{"max_concurrent", func(p *command.Policy) { p.MaxConcurrent = 100_001 }},
		{"circuit.volume", func(p *command.Policy) { p.Circuit.Volume = 0 }},
		{"circuit.volume", func(p *command.Policy) { p.Circuit.Volume = 1_000_001 }},
		{"circuit.error_percent", func(p *command.Policy) { p.Circuit.ErrorPercent = 0 }},
		{"circuit.error_percent", func(p *command.Policy) { p.Circuit.ErrorPercent = 101 }},
		{"circuit.consecutive", func(p *command.Policy) { p.Circuit.Consecutive = 0 }},
		{"circuit.consecutive", func(p *command.Policy) { p.Circuit.Consecutive = 1_000_001 }},
		{"circuit.sleep", func(p *command.Policy) { p.Circuit.Sleep = 0 }},
		{"circuit.sleep", func(p *command.Policy) { p.Circuit.Sleep = time.Hour + 1 }},
		{"cache.fresh", func(p *command.Policy) { p.Cache.Fresh = -1 }},
		{"cache.fresh", func(p *command.Policy) { p.Cache.Fresh = days + 1 }},
		{"cache.stale", func(p *command.Policy) { p.Cache.Stale = -1 }},
		{"cache.stale", func(p *command.Policy) { p.Cache.Stale = days + 1 }},
		{"cache.entries", func(p *command.Policy) { p.Cache.Entries = -1 }},
		{"cache.bytes", func(p *command.Policy) { p.Cache.Bytes = -1 }},
		{"attempt_timeout", func(p *command.Policy) { p.AttemptTimeout = -1 }},
		{"attempt_timeout", func(p *command.Policy) { p.AttemptTimeout = p.Timeout + 1 }},
		{"mode", func(p *command.Policy) { p.Mode = 2 }},
		{"cache.revalidate", func(p *command.Policy) { p.Cache.Revalidate = -1 }},
		{"cache.revalidate", func(p *command.Policy) { p.Cache.Fresh, p.Cache.Revalidate = 2, 1 }},
		{"cache.revalidate", func(p *command.Policy) { p.Cache.Revalidate = days + 1 }},
		{"cache.negative", func(p *command.Policy) { p.Cache.Negative = -1 }},
		{"cache.negative", func(p *command.Policy) { p.Cache.Negative = days + 1 }},
		{"cache.jitter", func(p *command.Policy) { p.Cache.Jitter = -1 }},
		{"cache.jitter", func(p *command.Policy) { p.Cache.Jitter = 51 }},
		{"retry.attempts", func(p *command.Policy) { p.Retry.Attempts = 0 }},
		{"retry.attempts", func(p *command.Policy) { p.Retry.Attempts = 6 }},
		{"retry.attempts", func(p *command.Policy) { p.Retry.Attempts = 2 }}, // not declared safe
		{"retry.backoff", func(p *command.Policy) { p.Retry.Backoff = -1 }},
		{"retry.backoff", func(p *command.Policy) { p.Retry.Backoff = 10*time.Second + 1 }},
		{"hedge", func(p *command.Policy) { p.Hedge = true }},
		{"coalesce", func(p *command.Policy) { p.Coalesce = true }},
		{"batch_window", func(p *command.Policy) { p.BatchWindow = time.Millisecond }}, // no form for many
	} {
		t.Run(tc.field, func(t *testing.T) {
			c := command.New("test.policy", func(context.Context, int) (int, error) { return 1, nil })
			before, after := c.Policy(), c.Policy()
			tc.change(&after)
			var out *command.RangeError
			err := c.Configure(after)
			if !errors.As(err, &out) || out.Field != tc.field || !strings.Contains(err.Error(), out.Allowed) {
				t.Fatalf("%v", err)
			}
			if c.Policy() != before {
				t.Error("the policy has changed")
			}
		})
	}
}

func TestConfigureTakesTheBounds(t *testing.T) {
	c := command.New("test.bounds", func(context.Context, int) (int, error) { return 1, nil }).Safe().
		Batch(func(context.Context, []int) (map[int]int, error) { return nil, nil })
	const days = 30 * 24 * time.Hour
	for _, p := range []command.Policy{
		command.DefaultPolicy(),
		{
			Timeout: 1, MaxConcurrent: 1,
			Circuit: command.Circuit{Volume: 1, ErrorPercent: 1, Consecutive: 1, Sleep: 1},
			Retry:   command.Retry{Attempts: 1},
		},
		{
			Timeout: 10 * time.Minute, MaxConcurrent: 100_000,
			Circuit: command.Circuit{Volume: 1_000_000, ErrorPercent: 100, Consecutive: 1_000_000, Sleep: time.Hour},
			Cache:   command.Cache{Fresh: days, Revalidate: days, Stale: days, Negative: days, Jitter: 50, Entries: 1, Bytes: 1},
			Mode:    command.Observe, AttemptTimeout: 10 * time.Minute, Hedge: true, Coalesce: true, BatchWindow: 100 * time.Millisecond,
			Retry: command.Retry{Attempts: 5, Backoff: 10 * time.Second},
		},
	} {
		p.Traits = command.Traits{Safe: true, Batched: true}
		if err := c.Configure(p); err != nil || c.Policy() != p {
			t.Errorf("%v, %+v", err, c.Policy())
		}
	}
}

// Configure while calls are made: for the race detector.
func TestConfigureUnderLoad(t *testing.T) {
	b, c := newBackend(t, asIs)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				b.down.Store(i%3 == 0)
				outcome(t.Context(), c, i)
				if g > 1 {
					continue
				}
				p := c.Policy()
				p.Cache = command.Cache{Fresh: time.Duration(i%2) * time.Microsecond, Entries: 1 + i%5}
				p.Circuit = command.Circuit{Volume: 1 + i, ErrorPercent: 30, Consecutive: 2, Sleep: time.Microsecond}
				if err := c.Configure(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if s := c.Stats(); s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
}

func TestStats(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive, p.MaxConcurrent = 2, 7 })
	outcome(t.Context(), c, 1)
	b.down.Store(true)
	for range 3 {
		outcome(t.Context(), c, 1)
	}
	s := c.Stats()
	if s.Name != "test.circuit" || s.Circuit != "open" || s.MaxConcurrent != 7 || s.InFlight != 0 || s.Opened != 1 || s.RefusedEvents != 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Outcomes) != 8 || s.Outcomes["success"] != 1 || s.Outcomes["failure"] != 2 || s.Outcomes["short_circuited"] != 1 {
		t.Errorf("%v", s.Outcomes)
	}
	if len(s.Rungs) != 5 || s.Rungs["live"] != 1 || s.Rungs["missing"] != 3 {
		t.Errorf("%v", s.Rungs)
	}
}
