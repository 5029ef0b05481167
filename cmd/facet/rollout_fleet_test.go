package main_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
)

// audience asks several gateways for home pages, as many users at once as there are
// gateways, until it is ended. It counts what came by which adapter, and what was lost.
type audience struct {
	t       *testing.T
	end     chan struct{}
	running sync.WaitGroup

	pages  atomic.Int64
	lost   atomic.Int64
	latest atomic.Int64 // when a page of the candidate was last asked for, in Unix nanoseconds
	by     sync.Map     // pages by their adapter: *atomic.Int64
}

func gather(t *testing.T, candidate string, gateways ...string) *audience {
	t.Helper()
	c := &audience{t: t, end: make(chan struct{})}
	for i, url := range gateways {
		c.running.Go(func() { c.ask(url, candidate, i*1_000_000) })
	}
	t.Cleanup(c.disperse)
	return c
}

func (c *audience) ask(url, candidate string, user int) {
	for n := user; ; n++ {
		select {
		case <-c.end:
			return
		default:
		}
		asked := time.Now()
		a, err := send(c.t, http.MethodGet, url+"/home", "", "X-Device-Type", "phone", "X-User-Id", fmt.Sprint("u-", n%2000))
		c.pages.Add(1)
		if err != nil || a.status != http.StatusOK {
			c.lost.Add(1)
			c.t.Logf("lost: %d %.200s %v", a.status, a.body, err)
			continue
		}
		adapter := a.header.Get("Facet-Adapter")
		count, _ := c.by.LoadOrStore(adapter, new(atomic.Int64))
		count.(*atomic.Int64).Add(1) //nolint:forcetypeassert // nothing else is stored
		if adapter == candidate {
			c.latest.Store(max(c.latest.Load(), asked.UnixNano()))
		}
	}
}

func (c *audience) count(adapter string) int64 {
	if n, there := c.by.Load(adapter); there {
		return n.(*atomic.Int64).Load() //nolint:forcetypeassert // nothing else is stored
	}
	return 0
}

// disperse ends it.
func (c *audience) disperse() {
	select {
	case <-c.end:
	default:
		close(c.end)
	}
	c.running.Wait()
}

// fleet is three gateways with one etcd. Control is phone/v2, whose home page does not
// ask the inventory; the candidate is phone/v1, whose page does.
type fleetOfThree struct {
	etcd     *etcdtest.Server
	replicas []releasing
	urls     []string
}

func newFleet(t *testing.T) fleetOfThree {
	t.Helper()
	server := etcdtest.Start(t)
	f := fleetOfThree{etcd: server}
	first := newReleasing(t, "adapters: {phone: v2}\nrollout: {etcd: {endpoints: [\""+server.URL+"\"]}}\n")
	f.replicas = append(f.replicas, first)
	for range 2 {
		f.replicas = append(f.replicas, first.serve(t, first.folder+"/facet.yaml"))
	}
	for _, r := range f.replicas {
		f.urls = append(f.urls, r.public)
	}
	eventually(t, "three replicas have met", func() bool { return strings.Contains(first.must(t, "status"), "3 of 3 replicas at revision 0") })
	return f
}

// everywhere waits until all replicas answer by a revision.
func (f fleetOfThree) everywhere(t *testing.T, revision int) {
	t.Helper()
	want := fmt.Sprintf("3 of 3 replicas at revision %d;", revision)
	eventually(t, want, func() bool { return strings.Contains(f.replicas[2].must(t, "status"), want) })
}

// TestAWholeRollout plays one from its start to its end by the guard, through the
// program and the command line: it begins at 1 %, grows, the candidate's own call
// begins to fail, and it is aborted on all replicas.
func TestAWholeRollout(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	const plan, guard = "1:24h,50:24h,100", "degraded=5,errors=1,panics=1,min_samples=50"
	f.replicas[0].must(t, "start phone/back-to-rows --candidate v1 --plan "+plan+" --guard "+guard)
	f.everywhere(t, 1)
	c := gather(t, "phone/v1", f.urls...)
	eventually(t, "some have the candidate", func() bool { return c.count("phone/v1") > 0 })
	f.replicas[1].must(t, "step phone/back-to-rows")
	f.everywhere(t, 2)
	eventually(t, "many have the candidate", func() bool { return c.count("phone/v1") > 100 })
	if list := f.replicas[0].must(t, "list"); !strings.Contains(list, "50 %  running") {
		t.Fatalf("a good candidate is judged:\n%s\n%s", list, f.replicas[0].must(t, "status"))
	}
	breakService(t, f.replicas[0].faults, "inventory", "error=1")
	broken := time.Now()
	f.everywhere(t, 3)
	t.Logf("aborted %v after its call began to fail", time.Since(broken).Round(time.Millisecond))
	for _, r := range f.replicas {
		if list := r.must(t, "list"); !strings.Contains(list, "0 %  aborted") || !strings.Contains(list, "degraded:") {
			t.Errorf("a replica tells\n%s", list)
		}
	}
	history := f.replicas[2].must(t, "history")
	for i, what := range []string{"alice .* start", "alice .* step", "guard@.* abort .* degraded: "} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d .*%s`, i+1, what)).MatchString(history) {
			t.Errorf("the history has no %d: %s:\n%s", i+1, what, history)
		}
	}
	before := c.count("phone/v1")
	c.disperse()
	if c.lost.Load() > 0 {
		t.Errorf("%d of %d pages were lost", c.lost.Load(), c.pages.Load())
	}
	t.Logf("%d pages, %d of the candidate, %d since the abort was known", c.pages.Load(), c.count("phone/v1"), c.count("phone/v1")-before)
}

// TestAnAbortIsQuick: within a second no replica answers by the candidate any more.
func TestAnAbortIsQuick(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.replicas[0].must(t, "start phone/back-to-rows --candidate v1 --share 100")
	f.everywhere(t, 1)
	c := gather(t, "phone/v1", f.urls...)
	eventually(t, "the candidate answers", func() bool { return c.count("phone/v1") > 30 })
	a, err := send(t, http.MethodPost, f.replicas[0].admin+"/rollouts/phone/back-to-rows/abort", `{"reason":"test"}`,
		"Authorization", "Bearer "+f.replicas[0].token, "Content-Type", "application/json")
	done := time.Now()
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s %v", a.status, a.body, err)
	}
	before := c.count("phone/v2")
	eventually(t, "control answers", func() bool { return c.count("phone/v2") > before+60 })
	c.disperse()
	took := time.Unix(0, c.latest.Load()).Sub(done)
	t.Logf("the last page of the candidate was asked for %v after the abort was confirmed", took)
	if took > time.Second {
		t.Errorf("the candidate answers %v after the abort", took)
	}
	if c.lost.Load() > 0 {
		t.Errorf("%d of %d pages were lost", c.lost.Load(), c.pages.Load())
	}
}

// TestEtcdMayDie: pages go on by the last known state, changes are refused, and the
// replicas agree again when it is back.
func TestEtcdMayDie(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.replicas[0].must(t, "start phone/back-to-rows --candidate v1 --share 50")
	f.everywhere(t, 1)
	c := gather(t, "phone/v1", f.urls...)
	eventually(t, "pages come", func() bool { return c.count("phone/v1") > 10 && c.count("phone/v2") > 10 })
	f.etcd.Kill()
	had := c.count("phone/v1")
	if status, _, stderr := f.replicas[0].rollout(t, "abort phone/back-to-rows"); status != 1 || !strings.Contains(stderr, "503") {
		t.Errorf("without etcd a change is %d %s", status, stderr)
	}
	eventually(t, "it is told", func() bool { return !strings.Contains(f.replicas[1].must(t, "status"), "the store is available") })
	eventually(t, "pages come by the last known state", func() bool { return c.count("phone/v1") > had+20 })
	f.etcd.Start()
	eventually(t, "a change is made again", func() bool {
		status, _, _ := f.replicas[1].rollout(t, "abort phone/back-to-rows")
		return status == 0
	})
	f.everywhere(t, 2)
	c.disperse()
	if c.lost.Load() > 0 {
		t.Errorf("%d of %d pages were lost", c.lost.Load(), c.pages.Load())
	}
	t.Logf("%d pages, none lost", c.pages.Load())
}
