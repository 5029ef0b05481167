package main_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/facet-gateway/facet/core/cache/cachetest"
)

// expectSeries waits until the gateway tells so at /metrics: some are counted after an answer.
func (s shop) expectSeries(t *testing.T, event string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		eventually(t, event+": "+name+" is "+value, func() bool { return seriesOf(t, s.admin)[name] == value })
	}
}

func TestReloadsAreCounted(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	const done, failed = `facet_reloads_total{result="success"}`, `facet_reloads_total{result="failure"}`
	s.expectSeries(t, "nothing", map[string]string{done: "0", failed: "0"})
	s.rewrite(t, "timeout: 1m", "timeout: 50s")
	s.hangUp(t)
	s.expectSeries(t, "a reload", map[string]string{done: "1", failed: "0"})
	s.rewrite(t, "timeout: 1m", "timeout: 11m")
	s.hangUp(t)
	s.expectSeries(t, "a bad file", map[string]string{done: "1", failed: "1"})
	s.rewrite(t, "listen: 127.0.0.1:0", "listen: 127.0.0.1:1")
	s.hangUp(t)
	s.expectSeries(t, "one that needs a restart", map[string]string{done: "1", failed: "2"})
}

// TestAdmissionIsCounted with room for one page, which a person has.
func TestAdmissionIsCounted(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.expectSeries(t, "nothing", map[string]string{
		`facet_admission_limit{priority="person"}`: "2000", `facet_admission_in_progress`: "0",
		`facet_admission_admitted_total{priority="person"}`: "0", `facet_admission_refused_total{priority="prefetch"}`: "0",
	})
	s.rewrite(t, "services:\n", "admission: {min: 1, max: 1}\nservices:\n")
	if got := s.hangUp(t); got.Failures != 0 {
		t.Fatal(got.LastError)
	}
	ahead := func() int {
		return get(t, s.public+"/productdetails?productid=p-1042", "X-Device-Type", "phone", "Sec-Purpose", "prefetch").status
	}
	if got := ahead(); got != http.StatusOK {
		t.Errorf("a prefetch with room: %d", got)
	}
	pages := s.waiting(t)
	if got := page(t, s.public, "phone", "p-1042").status; got != http.StatusServiceUnavailable {
		t.Errorf("a second person: %d", got)
	}
	for range 2 {
		if got := ahead(); got != http.StatusServiceUnavailable {
			t.Errorf("a prefetch without room: %d", got)
		}
	}
	s.expectSeries(t, "a full gateway", map[string]string{
		`facet_admission_limit{priority="person"}`: "1", `facet_admission_limit{priority="prefetch"}`: "1", `facet_admission_in_progress`: "1",
		`facet_admission_admitted_total{priority="person"}`: "1", `facet_admission_admitted_total{priority="prefetch"}`: "1",
		`facet_admission_refused_total{priority="person"}`: "1", `facet_admission_refused_total{priority="prefetch"}`: "2",
	})
	breakService(t, s.faults, "inventory", "none")
	if a := <-pages; a.status != http.StatusOK {
		t.Errorf("the page that waited: %d", a.status)
	}
	s.expectSeries(t, "afterwards", map[string]string{`facet_admission_in_progress`: "0"})
}

// TestTheSharedCacheIsCounted, and the age of what is remembered.
func TestTheSharedCacheIsCounted(t *testing.T) {
	t.Parallel()
	redis := cachetest.Redis(t)
	s := open(t, map[string]string{ // only one command remembers
		"catalog": "{timeout: 1m, cache: {fresh: 1h, stale: 1h}}", "reviews": "{timeout: 1m, cache: {stale: 0s}}",
	})
	text := strings.Replace(s.text, "services:\n", "cache: {redis: \"redis://"+redis.Addr+"\", timeout: 500ms}\nservices:\n", 1)
	s.gateway.signal(syscall.SIGTERM)
	s.gateway.status()
	s.gateway = start(t, "serve", "--config", file(t, "facet.yaml", text))
	s.public, s.admin = s.gateway.announced("gateway"), s.gateway.announced("admin")
	const lookups, changes = `facet_shared_cache_lookups_total{result="`, `facet_shared_cache_changes_total{result="`
	s.expectSeries(t, "the start", map[string]string{
		`facet_shared_cache_connected`: "1", `facet_shared_cache_invalidations_total`: "0",
		lookups + `hit"}`: "0", lookups + `miss"}`: "0", lookups + `rubbish"}`: "0", changes + `dropped"}`: "0",
	})
	page(t, s.public, "phone", "p-1042")
	s.expectSeries(t, "a page", map[string]string{lookups + `miss"}`: "1", lookups + `hit"}`: "0", changes + `written"}`: "1"})
	page(t, s.public, "phone", "p-1042")
	s.expectSeries(t, "the same page", map[string]string{
		`facet_part_age_seconds_count{page="productdetails",part="catalog",rung="cached"}`:            "1",
		`facet_part_age_seconds_bucket{page="productdetails",part="catalog",rung="cached",le="3600"}`: "1",
		lookups + `miss"}`: "1",
	})
	redis.Kill()
	s.expectSeries(t, "its end", map[string]string{`facet_shared_cache_connected`: "0"})
	page(t, s.public, "phone", "p-1001")
	eventually(t, "a look-up that failed or was spared is counted", func() bool {
		all := seriesOf(t, s.admin)
		return all[lookups+`fault"}`] != "0" || all[lookups+`skipped"}`] != "0"
	})
}
