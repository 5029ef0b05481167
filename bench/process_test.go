package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(ctx context.Context, t *testing.T, script string) *process {
	t.Helper()
	p, err := start(ctx, t.TempDir(), "program", 400, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func TestProcessSaysWhereItListens(t *testing.T) {
	t.Parallel()
	p := shell(t.Context(), t, "echo starting; echo 'service catalog http://127.0.0.1:12'; echo \"gateway http://$GOGC\"; exec sleep 60")
	for what, want := range map[string]string{"service catalog": "http://127.0.0.1:12", "gateway": "http://400"} {
		if got, err := p.announced(t.Context(), what); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
	}
	if err := p.forget(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(p.log); err != nil || len(text) > 0 {
		t.Errorf("its output is still there: %q, %v", text, err)
	}
	p.stop()
	if err := syscall.Kill(p.pid(), 0); err == nil {
		t.Error("it still runs after stop")
	}
	if err := p.forget(); err == nil {
		t.Error("a process that has ended passes for one that can be measured")
	}
}

func TestProcessThatEndsEarlyIsReported(t *testing.T) {
	t.Parallel()
	p := shell(t.Context(), t, "echo 'no such flag' >&2; exit 2")
	_, err := p.announced(t.Context(), "gateway")
	if err == nil || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("got %v, want its last words", err)
	}
}

func TestProcessEndsWithTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := shell(ctx, t, "exec sleep 60")
	cancel()
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Fatal("it outlives the run")
	}
	if _, err := p.announced(ctx, "gateway"); err == nil {
		t.Error("a process that said nothing was understood")
	}
}

func TestEnvironmentIsTheSameForAll(t *testing.T) {
	t.Parallel()
	got := environment([]string{"HOME=/h", "GOGC=50", "GOMAXPROCS=1", "GOMEMLIMIT=1GiB", "GODEBUG=x=1"}, 400)
	if want := []string{"HOME=/h", "GOGC=400"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestProductsFollowsRecommendations(t *testing.T) {
	answers := map[string]string{
		"":    `{"rows":[{"product_ids":["p-1","p-2"]},{"product_ids":["p-2","p-3"]}]}`,
		"p-1": `{"bought_together":[{"product_id":"p-4"}],"also_bought":[{"product_id":"p-1"}],"also_viewed":[{"product_id":"p-5"}]}`,
		"p-2": `{}`, "p-3": `{}`, "p-4": `{}`, "p-5": `{}`,
	}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.URL.Query().Get("product")]))
	}))
	defer shop.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for most, want := range map[int][]string{10: {"p-1", "p-2", "p-3", "p-4", "p-5"}, 4: {"p-1", "p-2", "p-3", "p-4"}, 1: {"p-1"}} {
		got, err := products(t.Context(), map[string]string{"recommendations": shop.URL}, "u-7", most)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, %v; want %v", most, got, err, want)
		}
	}
	answers[""] = `{"rows":[]}`
	if _, err := products(t.Context(), map[string]string{"recommendations": shop.URL}, "u-7", 3); err == nil {
		t.Error("a shop without products was accepted")
	}
}
