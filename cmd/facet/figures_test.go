package main_test

import (
	"net/http"
	"os/exec"
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

// TestRolloutsAreCounted, and by version what they lead to.
func TestRolloutsAreCounted(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, "rollout: {exposure: {log: true, nats: [\"nats://127.0.0.1:1\"]}}\n")
	s := shop{admin: r.admin}
	const exposures, deliveries = `facet_exposures_total{result="`, `facet_exposure_deliveries_total{result="`
	requests := func(version string) string {
		return `facet_requests_total{code="200",device="phone",page="productdetails",version="` + version + `"}`
	}
	s.expectSeries(t, "the start", map[string]string{
		"facet_rollout_revision": "0", "facet_rollout_store_available": "1", "facet_rollout_replicas": "1",
		`facet_rollouts{status="running"}`: "0", `facet_rollouts{status="aborted"}`: "0",
		"facet_rollouts_waiting": "0", "facet_versions_quarantined": "0",
		"facet_exposures_connected": "0", "facet_exposures_queued": "0", exposures + `told"}`: "0", requests("v1"): "0",
	})
	if _, there := seriesOf(t, r.admin)[requests("v2")]; there {
		t.Error("there are series of a version that nobody has had")
	}
	r.must(t, "start phone/reviews-first --candidate v2 --share 100")
	r.versions(t, 5)
	r.versions(t, 5)
	s.expectSeries(t, "a rollout", map[string]string{
		"facet_rollout_revision": "1", `facet_rollouts{status="running"}`: "1", requests("v1"): "0", requests("v2"): "10",
		exposures + `told"}`: "5", exposures + `repeated"}`: "5", deliveries + `logged"}`: "5", "facet_exposures_queued": "0",
	})
	r.must(t, "abort phone/reviews-first")
	r.must(t, "quarantine phone/v2 --reason broken")
	r.versions(t, 3)
	s.expectSeries(t, "an abort", map[string]string{
		"facet_rollout_revision": "3", `facet_rollouts{status="running"}`: "0", `facet_rollouts{status="aborted"}`: "1",
		"facet_versions_quarantined": "1", requests("v1"): "3", requests("v2"): "10",
	})
	r.must(t, "release phone/v2")
	r.must(t, "start phone/beside --candidate v2 --share 0 --shadow 100")
	r.versions(t, 3)
	s.expectSeries(t, "a shadow", map[string]string{
		`facet_shadow_compared_total{version="phone/v2"}`: "3", `facet_shadow_different_total{version="phone/v2"}`: "3",
		`facet_shadow_compared_total{version="tv/v2"}`: "0", `facet_shadow_panicked_total{version="phone/v2"}`: "0",
		`facet_shadow_skipped_total{version="phone/v2"}`: "0", requests("v1"): "6", requests("v2"): "10",
	})
	promtool := exec.Command("promtool", "check", "metrics")
	promtool.Stdin = strings.NewReader(get(t, r.admin+"/metrics").body)
	if said, err := promtool.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool: %v %s", err, said)
	}
}

// TestExposuresNobodyIsToldOf have no metrics.
func TestExposuresNobodyIsToldOf(t *testing.T) {
	t.Parallel()
	for name := range seriesOf(t, open(t, nil).admin) {
		if strings.HasPrefix(name, "facet_exposure") {
			t.Errorf("there is %s", name)
		}
	}
}
