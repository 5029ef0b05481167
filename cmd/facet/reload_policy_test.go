//go:build !production

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

// policyRows are a change of each setting of a policy, as a file says it and as the
// command has to see it.
var policyRows = []struct {
	file   string
	change func(*command.Policy)
}{
	{"timeout: 50s", func(p *command.Policy) { p.Timeout = 50 * time.Second }},
	{"attempt_timeout: 40s", func(p *command.Policy) { p.AttemptTimeout = 40 * time.Second }},
	{"max_concurrent: 90", func(p *command.Policy) { p.MaxConcurrent = 90 }},
	{"mode: observe", func(p *command.Policy) { p.Mode = command.Observe }},
	{"circuit: {volume: 7}", func(p *command.Policy) { p.Circuit.Volume = 7 }},
	{"circuit: {error_percent: 77}", func(p *command.Policy) { p.Circuit.ErrorPercent = 77 }},
	{"circuit: {consecutive: 7}", func(p *command.Policy) { p.Circuit.Consecutive = 7 }},
	{"circuit: {sleep: 7s}", func(p *command.Policy) { p.Circuit.Sleep = 7 * time.Second }},
	{"cache: {fresh: 7ms}", func(p *command.Policy) { p.Cache.Fresh = 7 * time.Millisecond }},
	{"cache: {revalidate: 7ms}", func(p *command.Policy) { p.Cache.Revalidate = 7 * time.Millisecond }},
	{"cache: {stale: 7s}", func(p *command.Policy) { p.Cache.Stale = 7 * time.Second }},
	{"cache: {negative: 7s}", func(p *command.Policy) { p.Cache.Negative = 7 * time.Second }},
	{"cache: {jitter: 7}", func(p *command.Policy) { p.Cache.Jitter = 7 }},
	{"cache: {entries: 7}", func(p *command.Policy) { p.Cache.Entries = 7 }},
	{"cache: {bytes: 7KiB}", func(p *command.Policy) { p.Cache.Bytes = 7 << 10 }},
	{"retry: {attempts: 2}", func(p *command.Policy) { p.Retry.Attempts = 2 }},
	{"retry: {backoff: 7ms}", func(p *command.Policy) { p.Retry.Backoff = 7 * time.Millisecond }},
	{"hedge: true", func(p *command.Policy) { p.Hedge = true }},
	{"coalesce: true", func(p *command.Policy) { p.Coalesce = true }},
	{"batch_window: 7ms", func(p *command.Policy) { p.BatchWindow = 7 * time.Millisecond }},
}

// file gives the gateway of a stage a file to reload: what it started with, with
// more said of two services.
func (s *stage) file(catalog, reviews string) {
	s.t.Helper()
	text := (&demonstration{listen: "127.0.0.1:0", admin: "127.0.0.1:0"}).config(s.shop, &ways{}) + "pages: {productdetails: {budget: 2m}}\n"
	for service, more := range map[string]string{"catalog": catalog, "reviews": reviews} {
		instances := "{instances: [\"" + s.shop.URL(service) + "\"]"
		if more != "" {
			text = strings.Replace(text, instances, instances+", "+more, 1)
		}
	}
	if err := os.WriteFile(s.inside.file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.inside.reload(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// fields adds the paths of all plain fields of a policy whose values differ.
func fields(path string, a, b reflect.Value, to map[string]bool) {
	if a.Kind() != reflect.Struct {
		to[path] = to[path] || !a.Equal(b)
		return
	}
	for i := range a.NumField() {
		fields(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i), to)
	}
}

// TestReloadReachesEverySettingOfACommand while pages are made, of which none is
// lost: after each reload the command has the policy that the file says, wholly.
func TestReloadReachesEverySettingOfACommand(t *testing.T) {
	s := newStage(t, "pages: {productdetails: {budget: 2m}}\n")
	s.inside.file = filepath.Join(t.TempDir(), "facet.yaml")
	var control *command.Control
	for _, c := range s.build.services.Controls() {
		if c.Name() == "catalog.product" {
			control = c
		}
	}
	const patient = "timeout: 1m, "
	s.file("commands: {product: {"+patient+"}}", "")
	base := control.Policy()
	var over atomic.Bool
	var pages atomic.Int64
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			for !over.Load() {
				if r, body, err := s.get(t.Context(), "p-1042"); err != nil || r.StatusCode != http.StatusOK {
					t.Errorf("a lost page: %v %s", err, body)
					return
				}
				pages.Add(1)
			}
		})
	}
	covered := map[string]bool{}
	for _, row := range policyRows {
		said := patient + row.file
		if strings.HasPrefix(row.file, "timeout:") {
			said = row.file
		}
		before := pages.Load()
		s.file("commands: {product: {"+said+"}}", "")
		want := base
		row.change(&want)
		if got := control.Policy(); got != want {
			t.Errorf("%s: the command has\n%+v, want\n%+v", row.file, got, want)
		}
		fields("", reflect.ValueOf(base), reflect.ValueOf(want), covered)
		if _, made := within(time.Minute, func() bool { return pages.Load() > before+5 || t.Failed() }); !made {
			t.Errorf("%s: no page is made", row.file)
		}
	}
	over.Store(true)
	clients.Wait()
	for path, changed := range covered {
		if !changed && !strings.HasPrefix(path, ".Traits") { // which no file changes
			t.Errorf("no row changes %s", path)
		}
	}
	t.Logf("%d pages in %d reloads", pages.Load(), len(policyRows))
}

// TestReloadReachesTheBudgetOfRetries: what is refused tells whether there is one.
func TestReloadReachesTheBudgetOfRetries(t *testing.T) {
	s := newStage(t, "pages: {productdetails: {budget: 2m}}\n")
	s.inside.file = filepath.Join(t.TempDir(), "facet.yaml")
	s.fault("reviews", "status=503")
	for _, tc := range []struct {
		budget  string
		refuses bool
	}{{"percent: 0, floor: 0", true}, {"percent: 100, floor: 1000", false}, {"percent: 0, floor: 0", true}} {
		s.file("", "commands: {reviews: {timeout: 1m, retry: {attempts: 2}, circuit: {consecutive: 1000, volume: 1000}}}, "+
			"retry_budget: {"+tc.budget+"}")
		before := s.inside.retries["reviews"].Refused()
		for range 3 {
			s.mustGet("p-1042")
		}
		if refused := s.inside.retries["reviews"].Refused() - before; (refused > 0) != tc.refuses {
			t.Errorf("%s: %d retries were refused", tc.budget, refused)
		}
	}
}
