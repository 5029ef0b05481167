package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/cache/cachetest"
)

// invalidate has a gateway forget what the body names.
func invalidate(t *testing.T, admin, token, body string) answer {
	t.Helper()
	headers := []string{"Content-Type", "application/json"}
	if token != "" {
		headers = append(headers, "Authorization", "Bearer "+token)
	}
	a, err := send(t, http.MethodPost, admin+"/invalidate", body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReplicasShareACache: one call for both, forgotten by both, and no page lost
// with the cache.
func TestReplicasShareACache(t *testing.T) {
	t.Parallel()
	redis := cachetest.Redis(t)
	token, line := newToken(t, "alice")
	remembering := "{timeout: 1m, cache: {fresh: 1h, stale: 1h}}"
	one := open(t, map[string]string{"catalog": remembering, "reviews": remembering})
	text := strings.Replace(one.text, "services:\n",
		"cache: {redis: \"redis://"+redis.Addr+"\", timeout: 500ms}\noperators: {tokens: operators.txt}\nservices:\n", 1)
	var replicas [2]shop
	for i := range replicas {
		config := file(t, "facet.yaml", text)
		write(t, filepath.Join(filepath.Dir(config), "operators.txt"), line+"\n")
		g := start(t, "serve", "--config", config)
		replicas[i] = shop{gateway: g, public: g.announced("gateway"), admin: g.announced("admin"), faults: one.faults}
		eventually(t, "the cache is there", func() bool { return strings.Contains(get(t, replicas[i].admin+"/cache").body, `"connected": true`) })
	}
	a, b := replicas[0], replicas[1]
	calls := func() int { _, n := inFlight(t, one.faults, "catalog"); return n }
	known := func(s shop, id string) bool {
		return strings.Contains(page(t, s.public, "phone", id).header.Get("Facet-Parts"), "catalog=cached")
	}
	page(t, a.public, "phone", "p-1042")
	eventually(t, "the other finds the answer", func() bool { return known(b, "p-1042") })
	if n := calls(); n > 2 { // the other may have asked before the first had written
		t.Errorf("%d calls", n)
	}
	before := calls()
	got := invalidate(t, a.admin, token, `{"tag": "product:p-1042"}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"shared": true`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	eventually(t, "the other asks again", func() bool { return !known(b, "p-1042") || calls() > before })
	eventually(t, "both know it again", func() bool { return known(a, "p-1042") && known(b, "p-1042") })
	before = calls()
	if got = invalidate(t, a.admin, token, `{"command": "catalog.product", "key": "p-1042"}`); got.status != http.StatusOK {
		t.Errorf("by key: %d %s", got.status, got.body)
	}
	eventually(t, "the other asks again", func() bool { return !known(b, "p-1042") || calls() > before })
	for _, nothing := range []string{
		`{"tag": "product:p-9"}`, `{"command": "catalog.product", "key": "p-9"}`, `{"command": "no.ne", "key": "a"}`,
	} {
		if got := invalidate(t, a.admin, token, nothing); got.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", nothing, got.status, got.body)
		}
	}
	redis.Kill()
	for _, id := range []string{"p-1042", "p-1001", "p-1002", "p-1003"} {
		for _, s := range replicas {
			if got := page(t, s.public, "phone", id); got.status != http.StatusOK {
				t.Errorf("%s: %d %s", id, got.status, got.body)
			}
		}
	}
	if got = invalidate(t, a.admin, token, `{"command": "catalog.product", "key": "p-1042"}`); got.status != http.StatusServiceUnavailable {
		t.Errorf("a cache that could not be told: %d %s", got.status, got.body)
	}
}

func TestInvalidateByHand(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	for body, want := range map[string]int{
		`{"command": "catalog.product", "key": "p-1"}`: http.StatusNotFound,
		`{"command": "catalog.none", "key": "p-1"}`:    http.StatusNotFound,
		`{"tag": "product:p-1"}`:                       http.StatusNotFound,
		`{}`:                                           http.StatusBadRequest,
		`{"key": "p-1"}`:                               http.StatusBadRequest,
		`{"tag": "a", "command": "b"}`:                 http.StatusBadRequest,
		`{"tags": "a"}`:                                http.StatusBadRequest,
		`{"tag": 1}`:                                   http.StatusBadRequest,
	} {
		if got := invalidate(t, g.admin, g.token, body); got.status != want || !strings.Contains(got.body, `"code"`) {
			t.Errorf("%s: %d %s, want %d", body, got.status, got.body, want)
		}
	}
	if got := invalidate(t, g.admin, "", `{"tag": "a"}`); got.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got.status)
	}
}
