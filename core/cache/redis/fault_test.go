package redis_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/cachetest"
)

// load has callers look up and write until the function that it returns is called,
// which returns how long each look-up took.
func (r *replica) load(t *testing.T) (end func() []time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	done := make(chan struct{})
	took := make([][]time.Duration, 4)
	for w := range took {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				case <-time.After(500 * time.Microsecond):
				}
				began := time.Now()
				e := r.Get(t.Context(), []string{"p-1", "p-2"})
				took[w] = append(took[w], time.Since(began))
				if i%10 == 0 {
					r.Put("p-1", entry("p-1", "t"))
				}
				if e[0].Found() && e[0].Value.ID != "p-1" {
					t.Error("a wrong answer")
				}
			}
		})
	}
	return func() []time.Duration {
		close(done)
		wg.Wait()
		all := slices.Concat(took...)
		slices.Sort(all)
		return all
	}
}

// TestAServerThatIsHurtCostsNoPage hurts the server under look-ups: each takes no
// longer than its limit and what the machine adds, goroutines and the heap stay
// bounded, and entries are found again when it is back.
func TestAServerThatIsHurtCostsNoPage(t *testing.T) {
	for _, tc := range []struct {
		name       string
		hurt, heal func(*cachetest.Server)
	}{
		{"killed", (*cachetest.Server).Kill, (*cachetest.Server).Start},
		{"hung", (*cachetest.Server).Stop, (*cachetest.Server).Continue},
		{"restarted", func(s *cachetest.Server) { s.Kill(); s.Start() }, func(*cachetest.Server) {}},
		{"hung, then killed", (*cachetest.Server).Stop, func(s *cachetest.Server) { s.Kill(); s.Start() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := cachetest.Redis(t)
			r := connected(t, server, cache.Options{})
			goroutines := runtime.NumGoroutine()
			end := r.load(t)
			until(t, "it is found", func() bool { return r.has(t, "p-1") })
			tc.hurt(server)
			hurt := time.Now()
			until(t, "some time has passed", func() bool { return time.Since(hurt) > 3*time.Second })
			if got := r.shared.Stats(); got.InFlight > cache.DefaultMaxLookups || got.Queued > cache.DefaultMaxQueue+128 {
				t.Errorf("%+v", got)
			}
			if n := runtime.NumGoroutine(); n > goroutines+cache.DefaultMaxLookups+20 {
				t.Errorf("%d goroutines, after %d", n, goroutines)
			}
			tc.heal(server)
			healed := time.Now()
			until(t, "it is found again", func() bool { return r.has(t, "p-1") })
			back := time.Since(healed)
			took := end()
			p99, worst := took[len(took)*99/100], took[len(took)-1]
			t.Logf("%d look-ups: p50 %v, p99 %v, worst %v; found again after %v; %+v",
				len(took), took[len(took)/2], p99, worst, back, r.shared.Stats())
			if p99 > 20*time.Millisecond+slack {
				t.Errorf("p99 %v", p99)
			}
			if back > 5*time.Second {
				t.Errorf("found again after %v", back)
			}
		})
	}
}

// slack is what a machine of two cores with the race detector and others on it adds.
const slack = 30 * time.Millisecond

// TestAServerThatComesLater: the program starts without it, pages are made without
// it, and it is used when it is there.
func TestAServerThatComesLater(t *testing.T) {
	server := cachetest.Redis(t)
	server.Kill()
	r := join(t, server, cache.Options{})
	for range 100 {
		if r.has(t, "p-1") {
			t.Fatal("found where nothing is")
		}
		r.Put("p-1", entry("p-1"))
	}
	if got := r.shared.Stats(); got.Connected || got.Skipped != 100 {
		t.Errorf("%+v", got)
	}
	server.Start()
	until(t, "it is used", func() bool { r.Put("p-1", entry("p-1")); return r.has(t, "p-1") })
}

func TestAServerThatHangsAtTheStart(t *testing.T) {
	server := cachetest.Redis(t)
	server.Stop()
	r := join(t, server, cache.Options{})
	began := time.Now()
	for time.Since(began) < 300*time.Millisecond {
		r.has(t, "p-1")
	}
	server.Continue()
	until(t, "it is used", func() bool { r.Put("p-1", entry("p-1")); return r.has(t, "p-1") })
}

// TestCloseWhileItHangs returns in bounded time, and leaves no goroutine (see
// TestMain).
func TestCloseWhileItHangs(t *testing.T) {
	server := cachetest.Redis(t)
	r := connected(t, server, cache.Options{})
	server.Stop()
	for range 50 {
		r.Put("p-1", entry("p-1"))
		r.has(t, "p-1")
	}
	began := time.Now()
	r.shared.Close()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	server.Continue()
}
