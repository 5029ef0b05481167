package discovery_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
)

const prefix = "/services/catalog"

func etcdAt(t *testing.T, o discovery.EtcdOptions) *discovery.Etcd {
	t.Helper()
	o.Prefix = prefix
	r, err := discovery.NewEtcd(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keys is a client of the cluster that does what instances do.
type keys struct {
	t *testing.T
	*clientv3.Client
}

func keysOf(t *testing.T, config clientv3.Config) keys {
	t.Helper()
	config.Logger = zap.NewNop()
	c, err := clientv3.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return keys{t, c}
}

// do does something once.
func (k keys) do(what func(ctx context.Context) error) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	if err := what(ctx); err != nil {
		k.t.Fatal(err)
	}
}

// again does something until it is done: a cluster that chooses a leader refuses it.
func (k keys) again(what func(ctx context.Context) error) {
	k.t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(k.t.Context(), 2*time.Second)
		err = what(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	k.t.Fatal(err)
}

func (k keys) put(name, value string, o ...clientv3.OpOption) {
	k.t.Helper()
	k.again(func(ctx context.Context) error { _, err := k.Put(ctx, prefix+"/"+name, value, o...); return err })
}

func (k keys) remove(name string, o ...clientv3.OpOption) {
	k.t.Helper()
	k.again(func(ctx context.Context) error { _, err := k.Delete(ctx, prefix+"/"+name, o...); return err })
}

func (k keys) clear() { k.remove("", clientv3.WithPrefix()) }

func startEtcd(t *testing.T) (*etcdtest.Server, keys) {
	t.Helper()
	s := etcdtest.Start(t)
	return s, keysOf(t, clientv3.Config{Endpoints: []string{s.URL}})
}

// watchedBy returns the first of some servers that has a watch, by what it tells of
// itself, once one has.
func watchedBy(t *testing.T, servers ...*etcdtest.Server) (by int) {
	t.Helper()
	soon(t, 5*time.Second, "a server is watched", func() bool {
		by = slices.IndexFunc(servers, func(s *etcdtest.Server) bool {
			return strings.Contains(metrics(t, s), "\netcd_debugging_mvcc_watcher_total 1\n")
		})
		return by >= 0
	})
	return by
}

func metrics(t *testing.T, s *etcdtest.Server) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Close = true
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEtcdWatches(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.2:80")
	k.put("deep/er", `{"address": "10.0.0.1:80", "zone": "eu-west-1a"}`)
	k.do(func(ctx context.Context) error { _, err := k.Put(ctx, prefix+"-other/a", "10.9.9.9:80"); return err })
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	w.wants(2*time.Second, "10.0.0.2:80", "10.0.0.1:80@eu-west-1a")
	k.put("b", "10.0.0.3:80")
	w.wants(time.Second, "10.0.0.2:80", "10.0.0.1:80@eu-west-1a", "10.0.0.3:80")
	k.remove("deep/er")
	w.wants(time.Second, "10.0.0.2:80", "10.0.0.3:80")
	k.put("b", "10.0.0.2:80") // a duplicate is one
	w.wants(time.Second, "10.0.0.2:80")
	if _, failures := w.counts(); failures != 0 {
		t.Errorf("%d failures were told: %v", failures, w.why())
	}
}

// TestEtcdLease: an instance that reports no more is gone when its lease is.
func TestEtcdLease(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	lease, err := k.Grant(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	k.put("b", "10.0.0.2:80", clientv3.WithLease(lease.ID))
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	w.wants(2*time.Second, "10.0.0.1:80", "10.0.0.2:80")
	w.wants(5*time.Second, "10.0.0.1:80")
}

// TestEtcdKeeps: whatever is wrong, what was told holds, one failure is told, and the
// next good answer is heard.
func TestEtcdKeeps(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		wrong, mend func(s *etcdtest.Server, k keys)
		part        string
	}{
		"gone":        {func(s *etcdtest.Server, _ keys) { s.Kill() }, func(s *etcdtest.Server, _ keys) { s.Start() }, "cannot be asked"},
		"hung":        {func(s *etcdtest.Server, _ keys) { s.Stop() }, func(s *etcdtest.Server, _ keys) { s.Continue() }, "cannot be asked"},
		"empty":       {func(_ *etcdtest.Server, k keys) { k.clear() }, func(*etcdtest.Server, keys) {}, "knows no instance"},
		"all rubbish": {func(_ *etcdtest.Server, k keys) { k.put("a", "?") }, func(*etcdtest.Server, keys) {}, `"?" is none`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, k := startEtcd(t)
			k.put("a", "10.0.0.1:80")
			w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
			w.wants(2*time.Second, "10.0.0.1:80")
			watchedBy(t, s)
			row.wrong(s, k)
			w.fails(5*time.Second, 0, row.part)
			if w.last() != "10.0.0.1:80" {
				t.Errorf("nothing is left but %q", w.last())
			}
			row.mend(s, k)
			began := time.Now() // the client of the test needs a while, too
			k.put("a", "10.0.0.2:80")
			w.wants(healed-time.Since(began), "10.0.0.2:80")
			if _, failures := w.counts(); failures != 1 {
				t.Errorf("%d failures were told, the last is %v", failures, w.why())
			}
		})
	}
}

// TestEtcdHalfAnswers: a key that holds no instance is left out, and told of.
func TestEtcdHalfAnswers(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	w.wants(2*time.Second, "10.0.0.1:80")
	for n, text := range []string{`{"addr": "10.0.0.2:80"}`, `{"address": "10.0.0.2:80"} x`, `{"address": 7}`, "10.0.0.2"} {
		k.put("b", text)
		w.fails(time.Second, n, "/services/catalog/b")
	}
	if w.last() != "10.0.0.1:80" {
		t.Errorf("told %q", w.last())
	}
}

func TestEtcdTellsTheFirstThousand(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	for n := 0; n < 1100; n += 100 {
		var puts []clientv3.Op
		for m := n; m < n+100; m++ {
			puts = append(puts, clientv3.OpPut(fmt.Sprintf("%s/%04d", prefix, m), fmt.Sprintf("10.0.%d.%d:80", m/100, m%100)))
		}
		k.do(func(ctx context.Context) error { _, err := k.Txn(ctx).Then(puts...).Commit(); return err })
	}
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	w.fails(2*time.Second, 0, "too many")
	if n := len(strings.Fields(w.last())); n != discovery.MaxInstances {
		t.Errorf("%d instances were told", n)
	}
}

// TestEtcdOfThreeMembers: while the one that is watched hangs the others are asked.
func TestEtcdOfThreeMembers(t *testing.T) {
	t.Parallel()
	servers := etcdtest.Cluster(t, 3)
	var all []string
	for _, s := range servers {
		all = append(all, s.URL)
	}
	keysOf(t, clientv3.Config{Endpoints: all}).put("a", "10.0.0.1:80")
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: slices.Clone(all)}))
	w.wants(3*time.Second, "10.0.0.1:80")
	hung := watchedBy(t, servers...)
	servers[hung].Stop()
	defer servers[hung].Continue()
	k := keysOf(t, clientv3.Config{Endpoints: slices.Delete(all, hung, hung+1)})
	for n := range 3 {
		address := fmt.Sprintf("10.0.1.%d:80", n)
		k.put("a", address)
		w.wants(healed, address)
	}
}

// TestEtcdCompaction: what was compacted while nobody listened is read anew.
func TestEtcdCompaction(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	w.wants(2*time.Second, "10.0.0.1:80")
	s.Kill()
	w.fails(5*time.Second, 0, "cannot be asked")
	s.Start()
	k.put("a", "10.0.0.2:80")
	answer, err := k.Get(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	k.do(func(ctx context.Context) error { _, err := k.Compact(ctx, answer.Header.Revision); return err })
	w.wants(healed, "10.0.0.2:80")
}

func TestEtcdPassword(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	k.do(func(ctx context.Context) error {
		if _, err := k.UserAdd(ctx, "root", "s3cret"); err != nil {
			return err
		}
		if _, err := k.UserGrantRole(ctx, "root", "root"); err != nil {
			return err
		}
		_, err := k.AuthEnable(ctx)
		return err
	})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("wr0ng\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}, User: "root", PasswordFile: file}))
	w.fails(3*time.Second, 0, "authentication failed")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.wants(healed, "10.0.0.1:80")
	if why := w.why().Error(); strings.Contains(why, "wr0ng") {
		t.Errorf("%q tells the password", why)
	}
}

// TestEtcdEndsAtOnce: whoever waits for a server that hangs does not wait for its timeout.
func TestEtcdEndsAtOnce(t *testing.T) {
	t.Parallel()
	s, k := startEtcd(t)
	k.put("a", "10.0.0.1:80")
	s.Stop()
	first := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	first.fails(5*time.Second, 0, "cannot be asked")
	first.stop()
	s.Continue()
	second := watch(t, etcdAt(t, discovery.EtcdOptions{Endpoints: []string{s.URL}}))
	second.wants(3*time.Second, "10.0.0.1:80")
	watchedBy(t, s)
	s.Stop()
	second.stop() // fails the test if that takes over a second
}

func TestNewEtcdRefuses(t *testing.T) {
	t.Parallel()
	at := []string{"http://127.0.0.1:2379"}
	for field, all := range map[string][]discovery.EtcdOptions{
		"endpoints":    {{Prefix: "/a"}, {Prefix: "/a", Endpoints: make([]string, 17)}},
		"endpoints[0]": {{Prefix: "/a", Endpoints: []string{"127.0.0.1:2379"}}},
		"endpoints[1]": {{Prefix: "/a", Endpoints: []string{"http://a:1", "https://b:2"}}},
		"prefix": {
			{Endpoints: at}, {Endpoints: at, Prefix: "/"}, {Endpoints: at, Prefix: "/a/"}, {Endpoints: at, Prefix: "a"},
			{Endpoints: at, Prefix: "/a/../b"}, {Endpoints: at, Prefix: "/" + strings.Repeat("a", 200)},
		},
		"user": {{Endpoints: at, Prefix: "/a", User: "u"}, {Endpoints: at, Prefix: "/a", PasswordFile: "p"}},
		"cert": {{Endpoints: at, Prefix: "/a", CertFile: "c"}, {Endpoints: at, Prefix: "/a", KeyFile: "k"}},
		"ca":   {{Endpoints: at, Prefix: "/a", CAFile: "ca"}, {Endpoints: at, Prefix: "/a", CertFile: "c", KeyFile: "k"}},
	} {
		for _, o := range all {
			_, err := discovery.NewEtcd(o)
			refusedField(t, err, field)
		}
	}
}
