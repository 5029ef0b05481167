package discovery_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/facet-gateway/facet/core/certtest"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
)

// TestDeadRegistry: while a registry is dead for three times its TTL whoever asks the
// follower, and whoever it told, has the instances that were known, at every moment.
func TestDeadRegistry(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.holds("catalog.shop. 1 A 10.0.0.1", "catalog.shop. 1 A 10.0.0.2")
	var pool atomic.Pointer[[]discovery.Instance]
	f := discovery.Follow(discovery.Options{
		Service: "catalog", Resolver: resolveA(t, z.addr),
		Changed: func(list []discovery.Instance) { pool.Store(&list) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	defer running.Wait()
	defer cancel()
	f.Await(t.Context())
	z.stop()
	asked := 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); asked++ {
		if s := f.Status(); len(s.Instances) != 2 || len(*pool.Load()) != 2 {
			t.Fatalf("%+v, told %v", s, *pool.Load())
		}
		runtime.Gosched()
	}
	if s := f.Status(); !s.Stale || s.Error == "" || asked < 1000 {
		t.Errorf("asked %d times, at last %+v", asked, s)
	}
	z.restart()
	z.holds("catalog.shop. 1 A 10.0.0.3")
	soon(t, healed, "the change is in the pool", func() bool { return addresses(*pool.Load()) == "10.0.0.3:80" })
	if s := f.Status(); s.Stale || s.Error != "" || s.Changes != 2 {
		t.Errorf("healed: %+v", s)
	}
}

// TestNothingStays: after watches of registries that work, hang, are gone and come
// again, there are as many goroutines and descriptors as before. It runs alone.
func TestNothingStays(t *testing.T) {
	dns, consul, cluster := serveDNS(t), fakeConsul(t, ""), fakeKubernetes(t)
	server, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	dns.holds("catalog.shop. 1 A 10.0.0.1")
	consul.holds(1, one("10.0.0.1"))
	cluster.put("catalog-a", slice(endpoint("10.0.0.1")))
	all := []discovery.Resolver{
		resolveA(t, dns.addr), consulAt(t, discovery.ConsulOptions{Address: consul.url()}), kubernetesAt(t, cluster.options()),
		etcdAt(t, discovery.EtcdOptions{Endpoints: []string{server.URL}}),
	}
	hang := func(how func(http.ResponseWriter, *http.Request) bool) {
		dns.change(func() { dns.mute = how != nil })
		consul.change(func() { consul.wrong = how })
		cluster.change(func() { cluster.wrong = how })
		if how == nil {
			server.Continue()
		} else {
			server.Stop()
			cluster.end()
		}
	}
	goroutines, files := 0, 0
	for n := range 2 {
		var watches []*watched
		for _, r := range all {
			watches = append(watches, watch(t, r))
		}
		for _, w := range watches {
			soon(t, 3*time.Second, "the first list", func() bool { return w.last() != "" })
		}
		hang(hangs)
		for _, w := range watches {
			soon(t, 2*healed, "a failure", func() bool { return w.why() != nil })
		}
		for _, w := range watches {
			w.stop()
		}
		hang(nil)
		if n == 0 { // the servers and the client of the test have what they need now
			goroutines, files = settledAt(t)
			continue
		}
		soon(t, 5*time.Second, "all is as it was", func() bool {
			return runtime.NumGoroutine() <= goroutines && leaktest.Descriptors(t) <= files
		})
	}
}

// settledAt returns how many goroutines and descriptors there are, once that is the
// same for a while.
func settledAt(t *testing.T) (goroutines, files int) {
	t.Helper()
	const enough = 100
	same := 0
	soon(t, patience, "it is quiet", func() bool {
		g, f := runtime.NumGoroutine(), leaktest.Descriptors(t)
		if same++; g != goroutines || f != files {
			goroutines, files, same = g, f, 0
		}
		return same >= enough
	})
	return goroutines, files
}

// TestEtcdOverTLS: whom nobody vouches for is not asked.
func TestEtcdOverTLS(t *testing.T) {
	t.Parallel()
	c := certtest.Loopback(t)
	s := etcdtest.Start(t, "--cert-file", c.Cert, "--key-file", c.Key)
	o := discovery.EtcdOptions{Endpoints: []string{s.URL}}
	watch(t, etcdAt(t, o)).fails(3*time.Second, 0, "cannot be asked")
	o.CAFile = c.Key
	watch(t, etcdAt(t, o)).fails(time.Second, 0, "no certificate")
	o.CAFile = c.Cert
	secured, err := discovery.SecuredBy(o)
	if err != nil {
		t.Fatal(err)
	}
	keysOf(t, clientv3.Config{Endpoints: o.Endpoints, TLS: secured}).put("a", "10.0.0.1:80")
	watch(t, etcdAt(t, o)).wants(3*time.Second, "10.0.0.1:80")
}
