package etcd_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

func opened(t testing.TB, o etcd.Options) *etcd.Store {
	t.Helper()
	s, err := etcd.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func at(endpoint string) etcd.Options { return etcd.Options{Endpoints: []string{endpoint}} }

// direct asks the server behind the store's back.
func direct(t testing.TB, config clientv3.Config) *clientv3.Client {
	t.Helper()
	config.Logger = zap.NewNop()
	c, err := clientv3.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func swap(t testing.TB, s rollout.Store, revision uint64) {
	t.Helper()
	if err := s.Swap(t.Context(), storetest.At(revision, "ada")); err != nil {
		t.Fatalf("revision %d: %v", revision, err)
	}
}

// soon fails if something does not come in a time.
func soon(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	storetest.Until(t, what, holds)
	if took := time.Since(began); took > within {
		t.Errorf("%s: after %v, want %v", what, took, within)
	} else {
		t.Logf("%s: after %v", what, took.Round(time.Millisecond))
	}
}

func TestContract(t *testing.T) {
	server := etcdtest.Start(t)
	storetest.Run(t, func(t *testing.T) storetest.Place {
		o := at(server.URL)
		_, name, _ := strings.Cut(t.Name(), "/")
		o.Prefix = "/" + name
		return storetest.Place{
			Open: func() rollout.Store {
				s, err := etcd.New(o)
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Close: func(s rollout.Store) { s.(*etcd.Store).Close() },
		}
	})
}

func TestReplicasHearEachOther(t *testing.T) {
	server := etcdtest.Start(t)
	var stores []rollout.Store
	var watchers []*storetest.Watcher
	for range 3 {
		s := opened(t, at(server.URL))
		stores, watchers = append(stores, s), append(watchers, storetest.Watch(t, s))
	}
	all := func(revision uint64) func() bool {
		return func() bool { return watchers[0].Is(revision) && watchers[1].Is(revision) && watchers[2].Is(revision) }
	}
	storetest.Until(t, "all know that there is nothing", all(0))
	swap(t, stores[0], 1)
	soon(t, time.Second, "all know of a change", all(1))
	for revision := range uint64(5) {
		winner := storetest.AtOnce(t, stores, revision+2)
		soon(t, time.Second, "all know who was first", all(revision+2))
		for i, w := range watchers {
			if by := w.Last().History[0].By; winner != "" && by != winner {
				t.Errorf("replica %d has the change of %s, %s was first", i, by, winner)
			}
		}
	}
}

// TestNothingFallsBetween makes a change while a watch begins, a hundred times: it is
// told at once, not when the replica asks again a second later.
func TestNothingFallsBetween(t *testing.T) {
	server := etcdtest.Start(t)
	s, other := opened(t, at(server.URL)), opened(t, at(server.URL))
	const soon = 700 * time.Millisecond
	for revision := range uint64(100) {
		made := make(chan error, 1)
		go func() { made <- other.Swap(context.Background(), storetest.At(revision+1, "ada")) }()
		w := storetest.Watch(t, s)
		if err := <-made; err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		storetest.Until(t, "it is told", func() bool { return w.Is(revision + 1) })
		if took := time.Since(began); took > soon {
			t.Fatalf("revision %d was told after %v", revision+1, took)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingIsDialedBeforeItIsNeeded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it has served
	s := opened(t, at("http://"+l.Addr().String()))
	accept := func(within time.Duration) error {
		_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(within))
		c, err := l.Accept()
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := accept(300 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it dialed: %v", err)
	}
	storetest.Watch(t, s)
	if err := accept(storetest.Patience); err != nil {
		t.Error(err)
	}
}

// TestAServerThatIsNotThere is told of with its reason, and costs nobody more than the
// limit.
func TestAServerThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s := opened(t, at("http://"+l.Addr().String()))
	w := storetest.Watch(t, s)
	within(t, "Swap", func() error { return s.Swap(t.Context(), storetest.At(1, "eve")) })
	within(t, "Report", func() error { return s.Report(t.Context(), rollout.Replica{ID: "r-1"}) })
	within(t, "Replicas", func() error { _, err := s.Replicas(t.Context()); return err })
	storetest.Until(t, "it is said why", func() bool {
		return w.Away() != nil && strings.Contains(w.Away().Error(), "connection refused")
	})
	if w.Last() != nil || len(w.Said()) > 5 {
		t.Errorf("%v, %v", w.Last(), w.Said())
	}
}

// within makes a call that must fail in time because the store is away.
func within(t testing.TB, what string, call func() error) {
	t.Helper()
	const limit = 1500 * time.Millisecond // the call's own, and what a busy machine takes
	began := time.Now()
	err := call()
	if took := time.Since(began); !errors.Is(err, rollout.ErrAway) || errors.Is(err, rollout.ErrDoubt) || took > limit {
		t.Errorf("%s: %v after %v", what, err, took)
	}
}

func TestRubbishIsToldOf(t *testing.T) {
	server := etcdtest.Start(t)
	s, err := etcd.New(at(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c := direct(t, clientv3.Config{Endpoints: []string{server.URL}})
	w := storetest.Watch(t, s)
	storetest.Until(t, "it is told that there is nothing", func() bool { return w.Is(0) })
	swap(t, s, 1)
	for i, row := range []struct{ value, word string }{
		{"", "body"},
		{"null", "body"},
		{"\xff\x00", "body"},
		{`{"revision": 2, "classes": {"tv": {"shard": 1}}}`, "classes.tv.shard"},
		{`{"revision": 0}`, "revision"},
		{`{"revision": 2, "classes": {"fridge": {"holdout": 101}}}`, "classes.fridge.holdout"},
	} {
		if _, err := c.Put(t.Context(), etcd.DefaultPrefix+"/state", row.value); err != nil {
			t.Fatal(err)
		}
		storetest.Until(t, row.value+" is told of", func() bool {
			return w.Away() != nil && strings.Contains(w.Away().Error(), row.word) && strings.Contains(w.Away().Error(), "/state")
		})
		if got := w.Revisions(); got[len(got)-1] != uint64(i+1) {
			t.Errorf("%s: %v were told", row.value, got)
		}
		within(t, "Swap upon "+row.value, func() error { return s.Swap(t.Context(), storetest.At(uint64(i+2), "eve")) })
		if _, err := c.Delete(t.Context(), etcd.DefaultPrefix+"/state"); err != nil {
			t.Fatal(err)
		}
		storetest.Until(t, "there is nothing", func() bool { return w.Is(0) })
		for revision := range uint64(i + 2) {
			swap(t, s, revision+1)
		}
		storetest.Until(t, "a state is there", func() bool { return w.Is(uint64(i + 2)) })
	}
	rubbishReports(t, s, c)
}

func rubbishReports(t *testing.T, s *etcd.Store, c *clientv3.Client) {
	t.Helper()
	for id, value := range map[string]string{"r-1": "", "r-2": "[1]", "r-3": `{"id":"r-4"}`, "r-5": `{"id":"r-5","revision":-1}`} {
		if _, err := c.Put(t.Context(), etcd.DefaultPrefix+"/replicas/"+id, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Report(t.Context(), rollout.Replica{ID: "r-6"}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Replicas(t.Context()); err != nil || len(all) != 1 || all[0].ID != "r-6" {
		t.Errorf("%v, %v", all, err)
	}
	for _, id := range []string{"", "a/b", "ä", strings.Repeat("r", 129)} {
		if err := s.Report(t.Context(), rollout.Replica{ID: id}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", id, err)
		}
	}
	large := rollout.Replica{ID: "r-7", Observed: []byte(`"` + strings.Repeat("x", 300<<10) + `"`)}
	if err := s.Report(t.Context(), large); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
}

// TestReportsAreFew writes once a second, however often it is told.
func TestReportsAreFew(t *testing.T) {
	server := etcdtest.Start(t)
	s := opened(t, at(server.URL))
	c := direct(t, clientv3.Config{Endpoints: []string{server.URL}})
	const key = etcd.DefaultPrefix + "/replicas/r-1"
	began := time.Now()
	for revision := uint64(0); time.Since(began) < 3*time.Second; revision++ {
		if err := s.Report(t.Context(), rollout.Replica{ID: "r-1", Revision: revision}); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Millisecond)
	}
	answer, err := c.Get(t.Context(), key)
	if err != nil || len(answer.Kvs) != 1 {
		t.Fatal(answer, err)
	}
	took := time.Since(began).Seconds()
	if n := answer.Kvs[0].Version; n < 2 || n > int64(2*took)+2 { // a busy machine makes one twice: of some 500 it is told
		t.Errorf("it was written %d times in %.2f s", n, took)
	}
	if answer.Kvs[0].Lease == 0 {
		t.Error("it is under no lease")
	}
}

func present(t testing.TB, s rollout.Store, id string) bool {
	t.Helper()
	all, err := s.Replicas(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.ID == id {
			return true
		}
	}
	return false
}

func TestOptions(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		name = folder + "/" + name
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rubbish, lines := file("rubbish", "no PEM"), file("lines", "one\ntwo\n")
	secure := func(change func(*etcd.Options)) etcd.Options {
		o := at("https://h:2379")
		change(&o)
		return o
	}
	for _, row := range []struct {
		o    etcd.Options
		word string
	}{
		{etcd.Options{}, "endpoints"},
		{etcd.Options{Endpoints: make([]string, 17)}, "endpoints"},
		{at("h:2379"), "endpoints"},
		{at("http://h"), "endpoints"},
		{at("http://:2379"), "endpoints"},
		{at("http://h:2379/v3"), "endpoints"},
		{at("http://u:p@h:2379"), "endpoints"},
		{at("unix:///etcd"), "endpoints"},
		{etcd.Options{Endpoints: []string{"http://h:1", "https://h:2"}}, "endpoints"},
		{secure(func(o *etcd.Options) { o.Prefix = "facet" }), "prefix"},
		{secure(func(o *etcd.Options) { o.Prefix = "/" }), "prefix"},
		{secure(func(o *etcd.Options) { o.Prefix = "/facet/" }), "prefix"},
		{secure(func(o *etcd.Options) { o.Prefix = "/" + strings.Repeat("x", 200) }), "prefix"},
		{secure(func(o *etcd.Options) { o.User = "facet" }), "user"},
		{secure(func(o *etcd.Options) { o.PasswordFile = rubbish }), "user"},
		{secure(func(o *etcd.Options) { o.User, o.PasswordFile = "facet", lines }), "password_file"},
		{secure(func(o *etcd.Options) { o.User, o.PasswordFile = "facet", folder+"/none" }), "password_file"},
		{secure(func(o *etcd.Options) { o.CAFile = rubbish }), "ca"},
		{secure(func(o *etcd.Options) { o.CAFile = folder + "/none" }), "ca"},
		{secure(func(o *etcd.Options) { o.CertFile = rubbish }), "cert"},
		{secure(func(o *etcd.Options) { o.CertFile, o.KeyFile = rubbish, rubbish }), "cert"},
		{etcd.Options{Endpoints: []string{"http://h:1"}, CAFile: rubbish}, "ca"},
	} {
		s, err := etcd.New(row.o)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "etcd: "+row.word) || strings.Contains(err.Error(), "two") {
			t.Errorf("%+v: %v, want %s", row.o, err, row.word)
		}
	}
}
