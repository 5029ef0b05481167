package process_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/bench/process"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func shell(ctx context.Context, t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(ctx, t.TempDir(), "program", 400, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func TestProcessSaysWhereItListens(t *testing.T) {
	t.Parallel()
	p := shell(t.Context(), t, "echo starting; echo 'service catalog http://127.0.0.1:12'; echo \"gateway http://$GOGC\"; exec sleep 60")
	for what, want := range map[string]string{"service catalog": "http://127.0.0.1:12", "gateway": "http://400"} {
		if got, err := p.Announced(t.Context(), what); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
	}
	if err := p.Forget(); err != nil {
		t.Error(err)
	}
	if text := p.LastWords(); text != "" {
		t.Errorf("its output is still there: %q", text)
	}
	p.Stop()
	if err := syscall.Kill(p.PID(), 0); err == nil {
		t.Error("it still runs after stop")
	}
	if err := p.Forget(); err == nil {
		t.Error("a process that has ended passes for one that can be measured")
	}
}

func TestProcessThatEndsEarlyIsReported(t *testing.T) {
	t.Parallel()
	p := shell(t.Context(), t, "echo 'no such flag' >&2; exit 2")
	_, err := p.Announced(t.Context(), "gateway")
	if err == nil || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("got %v, want its last words", err)
	}
}

func TestProcessEndsWithTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := shell(ctx, t, "exec sleep 60")
	cancel()
	for end := time.Now().Add(10 * time.Second); p.Forget() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it outlives the run")
		}
	}
	if _, err := p.Announced(ctx, "gateway"); err == nil {
		t.Error("a process that said nothing was understood")
	}
}

func TestEnvironmentIsTheSameForAll(t *testing.T) {
	t.Setenv("GOMAXPROCS", "1")
	t.Setenv("GOMEMLIMIT", "1GiB")
	t.Setenv("GODEBUG", "madvdontneed=1")
	t.Setenv("GOGC", "50")
	p := shell(t.Context(), t, `echo "gateway http://$GOGC$GOMAXPROCS$GOMEMLIMIT$GODEBUG"; exec sleep 60`)
	if got, err := p.Announced(t.Context(), "gateway"); err != nil || got != "http://400" {
		t.Errorf("got %q, %v", got, err)
	}
}
