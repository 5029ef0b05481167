package etcd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

// healing is how soon a watch is to be there again after its server: two waits of at
// most half a second, and what a busy machine takes.
const healing = 2 * time.Second

// TestKilledServer kills etcd three times while a replica makes one change after the
// other: what was confirmed stays, and the others know it at the end.
func TestKilledServer(t *testing.T) {
	server := etcdtest.Start(t)
	s, other := opened(t, at(server.URL)), opened(t, at(server.URL))
	own, others := storetest.Watch(t, s), storetest.Watch(t, other)
	storetest.Until(t, "both are there", func() bool { return own.Is(0) && others.Is(0) })
	var confirmed uint64
	for range 3 {
		storetest.Until(t, "both know the last", func() bool { return others.Is(own.Last().Revision) && own.Away() == nil })
		began := confirmed
		confirmed = changeUntilAway(t, s, own, func() {
			storetest.Until(t, "it is at work", func() bool { return others.Last().Revision > began+3 })
			server.Kill()
		})
		storetest.Until(t, "both say so", func() bool { return own.Away() != nil && others.Away() != nil })
		within(t, "Swap", func() error { return s.Swap(t.Context(), storetest.At(confirmed+1, "eve")) })
		server.Start()
		soon(t, healing, "both are there again", func() bool { return own.Away() == nil && others.Away() == nil })
		now := others.Last().Revision
		if now < confirmed || now > confirmed+1 {
			t.Errorf("revision %d, confirmed was %d", now, confirmed)
		}
		confirmed = now
		swap(t, s, confirmed+1)
		soon(t, time.Second, "both hear again", func() bool { return own.Is(confirmed+1) && others.Is(confirmed+1) })
		confirmed++
	}
}

// changeUntilAway makes changes until one fails, while something happens, and returns
// the last that was confirmed.
func changeUntilAway(t *testing.T, s rollout.Store, w *storetest.Watcher, happens func()) uint64 {
	t.Helper()
	confirmed := w.Last().Revision
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			err := s.Swap(context.Background(), storetest.At(confirmed+1, "ada"))
			if err != nil {
				if !errors.Is(err, rollout.ErrAway) && !errors.Is(err, rollout.ErrDoubt) {
					t.Error(err)
				}
				return
			}
			confirmed++
		}
	}()
	happens()
	<-done
	return confirmed
}

// TestHangingServer stops etcd for ten seconds: changes are refused in time, and none
// of them is made when it goes on.
func TestHangingServer(t *testing.T) {
	server := etcdtest.Start(t)
	s := opened(t, at(server.URL))
	w := storetest.Watch(t, s)
	storetest.Until(t, "it is there", func() bool { return w.Is(0) })
	swap(t, s, 1)
	report := rollout.Replica{ID: "r-1"}
	if err := s.Report(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		within(t, "Swap", func() error { return s.Swap(t.Context(), storetest.At(2, "eve")) })
	}
	if away := w.Away(); away == nil || !strings.Contains(away.Error(), "no answer within 1s") {
		t.Errorf("%v", away)
	}
	within(t, "Replicas", func() error { _, err := s.Replicas(t.Context()); return err })
	server.Continue()
	soon(t, healing, "it is there again", func() bool { return w.Is(1) })
	storetest.Until(t, "it reports again", func() bool { return s.Report(t.Context(), report) == nil && present(t, s, "r-1") })
	swap(t, s, 2)
	soon(t, time.Second, "it hears again", func() bool { return w.Is(2) })
	if by := w.Last().History[0].By; by != "ada" {
		t.Errorf("a change of %s was made", by)
	}
}

// TestCompactedMeanwhile: what a replica has missed is compacted before it is back.
func TestCompactedMeanwhile(t *testing.T) {
	server := etcdtest.Start(t)
	p := relay(t, server.URL)
	cut, other := opened(t, at(p.url)), opened(t, at(server.URL))
	w := storetest.Watch(t, cut)
	for revision := range uint64(3) {
		swap(t, other, revision+1)
	}
	soon(t, healing, "it is there", func() bool { return w.Is(3) })
	p.cut()
	storetest.Until(t, "it is away", func() bool { return w.Away() != nil })
	for revision := range uint64(5) {
		swap(t, other, revision+4)
	}
	c := direct(t, clientv3.Config{Endpoints: []string{server.URL}})
	answer, err := c.Get(t.Context(), etcd.DefaultPrefix+"/state")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compact(t.Context(), answer.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	p.heal()
	soon(t, healing, "it knows the last", func() bool { return w.Is(8) })
	swap(t, other, 9)
	soon(t, time.Second, "it hears again", func() bool { return w.Is(9) })
}

// TestCutAgainAndAgain cuts the connection at odd moments while others make changes:
// nothing is missed at the end, and nothing is told out of order.
func TestCutAgainAndAgain(t *testing.T) {
	server := etcdtest.Start(t)
	p := relay(t, server.URL)
	cut, other := opened(t, at(p.url)), opened(t, at(server.URL))
	w := storetest.Watch(t, cut)
	storetest.Until(t, "it is there", func() bool { return w.Is(0) })
	const last = 100
	for revision := range uint64(last) {
		swap(t, other, revision+1)
		switch revision % 10 {
		case 3:
			p.cut()
		case 7:
			p.heal()
		}
	}
	p.heal()
	soon(t, healing, "it knows the last", func() bool { return w.Is(last) })
	before := uint64(0)
	for i, revision := range w.Revisions() {
		if revision <= before && i > 0 {
			t.Errorf("%d was told after %d", revision, before)
		}
		before = revision
	}
}

// TestSetBack: replicas follow a cluster that has lost its data, or has an older copy.
func TestSetBack(t *testing.T) {
	server := etcdtest.Start(t)
	s := opened(t, at(server.URL))
	w := storetest.Watch(t, s)
	for revision := range uint64(3) {
		swap(t, s, revision+1)
	}
	server.Kill()
	older := server.Data + "-older"
	if err := os.CopyFS(older, os.DirFS(server.Data)); err != nil {
		t.Fatal(err)
	}
	server.Start()
	for revision := range uint64(20) {
		storetest.Until(t, "it is changed", func() bool { return s.Swap(t.Context(), storetest.At(revision+4, "ada")) == nil })
	}
	storetest.Until(t, "the last is known", func() bool { return w.Is(23) })
	replace(t, server, older)
	soon(t, healing, "the older one is known", func() bool { return w.Is(3) })
	swap(t, s, 4)
	soon(t, time.Second, "it hears", func() bool { return w.Is(4) })
	replace(t, server, "")
	soon(t, healing, "it is known that there is nothing", func() bool { return w.Is(0) })
	swap(t, s, 1)
	soon(t, time.Second, "it hears again", func() bool { return w.Is(1) })
}

// replace gives a server other data; "" is none.
func replace(t *testing.T, server *etcdtest.Server, data string) {
	t.Helper()
	server.Kill()
	if err := os.RemoveAll(server.Data); err != nil {
		t.Fatal(err)
	}
	if data != "" {
		if err := os.Rename(data, server.Data); err != nil {
			t.Fatal(err)
		}
	}
	server.Start()
}

// TestClusterOfThree: one member of three is killed, and later one hangs, whichever it
// is; replicas that know all three go on.
func TestClusterOfThree(t *testing.T) {
	members := etcdtest.Cluster(t, 3)
	var o etcd.Options
	for _, m := range members {
		o.Endpoints = append(o.Endpoints, m.URL)
	}
	s, other := opened(t, o), opened(t, o)
	w, others := storetest.Watch(t, s), storetest.Watch(t, other)
	storetest.Until(t, "both are there", func() bool { return w.Is(0) && others.Is(0) })
	revision := uint64(0)
	change := func(what string, within time.Duration) {
		t.Helper()
		doubt := false
		soon(t, within, what+": a change is made", func() bool {
			err := s.Swap(t.Context(), storetest.At(revision+1, "ada"))
			if err != nil {
				t.Logf("%s: %v", what, err)
			}
			made := errors.Is(err, rollout.ErrConflict) && doubt // it was made after all
			doubt = doubt || errors.Is(err, rollout.ErrDoubt)
			return err == nil || made
		})
		revision++
		soon(t, within, what+": both know it", func() bool { return w.Is(revision) && others.Is(revision) })
	}
	change("at first", time.Second)
	for i, m := range members {
		m.Kill()
		change(fmt.Sprint("without member ", i), electing)
		m.Start()
		change("with it again", electing)
	}
	for i, m := range members {
		m.Stop()
		change(fmt.Sprint("while member ", i, " hangs"), electing)
		m.Continue()
		change("when it goes on", electing)
	}
}

// electing is how long a cluster takes at most that has lost its leader.
const electing = 5 * time.Second

// TestInDoubt loses the answer to a change that was made.
func TestInDoubt(t *testing.T) {
	server := etcdtest.Start(t)
	p := relay(t, server.URL)
	s := opened(t, at(p.url))
	w := storetest.Watch(t, opened(t, at(server.URL)))
	swap(t, s, 1)
	p.muteAfter(20 << 10) // more than a read sends, less than the change
	began := time.Now()
	err := s.Swap(t.Context(), storetest.At(2, strings.Repeat("x", 40<<10)))
	if took := time.Since(began); !errors.Is(err, rollout.ErrDoubt) || errors.Is(err, rollout.ErrAway) || took > 1500*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	storetest.Until(t, "it was made", func() bool { return w.Is(2) })
	p.cut()
	p.heal()
	storetest.Until(t, "it goes on", func() bool {
		err := s.Swap(t.Context(), storetest.At(3, "ada"))
		return err == nil
	})
}

// TestDoubtIsSettled loses the answer, too, and has the connection back at once: the
// store finds what became of the change.
func TestDoubtIsSettled(t *testing.T) {
	server := etcdtest.Start(t)
	p := relay(t, server.URL)
	s := opened(t, at(p.url))
	w := storetest.Watch(t, opened(t, at(server.URL)))
	swap(t, s, 1)
	var lost sync.WaitGroup
	lost.Go(func() {
		storetest.Until(t, "it was made", func() bool { return w.Is(2) })
		p.cut()
		p.heal()
	})
	p.muteAfter(20 << 10)
	if err := s.Swap(t.Context(), storetest.At(2, strings.Repeat("x", 40<<10))); err != nil {
		t.Error(err)
	}
	lost.Wait()
	swap(t, s, 3)
	storetest.Until(t, "it goes on", func() bool { return w.Is(3) })
}

// reportOn is a replica that reports until it is killed.
func reportOn(endpoint string) {
	s, err := etcd.New(at(endpoint))
	if err != nil {
		panic(err)
	}
	for {
		if err := s.Report(context.Background(), rollout.Replica{ID: "r-dead", At: time.Now()}); err != nil {
			panic(err)
		}
		fmt.Println("reported")
		<-time.After(time.Second)
	}
}

func TestReplicasThatEnd(t *testing.T) {
	server := etcdtest.Start(t)
	live, leaving := opened(t, at(server.URL)), opened(t, at(server.URL))
	alive := report(t, live, "r-live")
	if err := leaving.Report(t.Context(), rollout.Replica{ID: "r-leaving"}); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "FACET_TEST_ETCD="+server.URL)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if present(t, live, "r-dead") {
			break
		}
	}
	if !present(t, live, "r-dead") || !present(t, live, "r-leaving") || !present(t, live, "r-live") {
		t.Fatal("not all are there")
	}
	leaving.Close()
	if present(t, live, "r-leaving") {
		t.Error("one that was closed is there")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	soon(t, 6*time.Second, "one that was killed is gone", func() bool { return !present(t, live, "r-dead") })
	if !present(t, live, "r-live") {
		t.Error("one that lives is gone")
	}
	alive()
}

// report has a replica report until the function that it returns is called.
func report(t *testing.T, s rollout.Store, id string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	beat := time.NewTicker(time.Second)
	first := make(chan struct{})
	running.Go(func() {
		defer beat.Stop()
		for i := 0; ; i++ {
			if err := s.Report(ctx, rollout.Replica{ID: id}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			if i == 0 {
				close(first)
			}
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
		}
	})
	<-first
	end = func() { cancel(); running.Wait() }
	t.Cleanup(end)
	return end
}
