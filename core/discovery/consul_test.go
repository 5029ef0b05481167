package discovery_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
)

func consulAt(t *testing.T, o discovery.ConsulOptions) *discovery.Consul {
	t.Helper()
	o.Service = "catalog"
	r, err := discovery.NewConsul(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func one(address string) map[string]any { return consulInstance("10.9.9.9", address, 80, "") }

func TestConsulWatches(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "")
	f.holds(1, consulInstance("10.0.0.1", "", 8080, ""), consulInstance("10.9.9.9", "fd00::7", 80, "eu-west-1a"))
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url(), Tag: "primary", Datacenter: "dc1"}))
	w.wants(time.Second, "10.0.0.1:8080", "[fd00::7]:80@eu-west-1a")
	for _, address := range []string{"10.0.0.2", "10.0.0.3"} {
		f.holds(3, one(address))
		w.wants(time.Second, address+":80")
	}
	if _, failures := w.counts(); failures != 0 {
		t.Errorf("%d failures were told: %v", failures, w.why())
	}
}

// TestConsulBlocks: while nothing changes it is asked once in some seconds, and that
// nothing has changed is no news.
func TestConsulBlocks(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "")
	f.holds(1, one("10.0.0.1"))
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url()}))
	began := time.Now()
	soon(t, 5*time.Second, "a third query", func() bool { return f.count() == 3 })
	if took := time.Since(began); took < 3*time.Second {
		t.Errorf("the third query came after %v", took)
	}
	f.holds(1, one("10.0.0.1"))
	soon(t, time.Second, "a fourth query", func() bool { return f.count() == 4 })
	if lists, _ := w.counts(); lists != 1 {
		t.Errorf("%d lists were told", lists)
	}
}

// TestConsulIndexGoesBackwards: after a restored snapshot the wait begins anew; the
// fake fails the test if it does not. An index of 0 is waited behind as if it were 1.
func TestConsulIndexGoesBackwards(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "")
	f.holds(1, one("10.0.0.1"))
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url()}))
	w.wants(time.Second, "10.0.0.1:80")
	for n, index := range []uint64{3, 0} {
		address := []string{"10.0.0.2", "10.0.0.3"}[n]
		soon(t, 2*time.Second, "it waits", f.waits)
		f.restore(index, one(address))
		w.wants(time.Second, address+":80")
		soon(t, 2*time.Second, "it waits", f.waits)
		f.holds(5, one("10.0.1.1"))
		w.wants(2*time.Second, "10.0.1.1:80")
	}
}

// TestConsulThatChurns is asked a few times a second at most.
func TestConsulThatChurns(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "")
	entry := `[{"Node": {"Address": "10.0.0.1"}, "Service": {"Port": 80}}]`
	f.change(func() { f.wrong, f.given = answers(200, "7", entry), 7 }) // it never blocks
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url()}))
	w.wants(time.Second, "10.0.0.1:80")
	began := time.Now()
	soon(t, 10*time.Second, "some queries", func() bool { return f.count() >= 6 })
	if took := time.Since(began); took < time.Second {
		t.Errorf("6 queries in %v", took)
	}
}

// TestConsulKeeps: whatever is wrong, what was told holds, one failure is told, and
// the next good answer is heard.
func TestConsulKeeps(t *testing.T) {
	t.Parallel()
	says := func(status int, index, text string) func(f *FakeConsul) {
		return func(f *FakeConsul) { f.change(func() { f.wrong = answers(status, index, text); f.index++ }) }
	}
	for name, row := range map[string]struct {
		wrong func(f *FakeConsul)
		part  string
	}{
		"gone":         {(*FakeConsul).stop, "cannot be asked"},
		"hung":         {func(f *FakeConsul) { f.change(func() { f.wrong = hangs; f.index++ }) }, "cannot be asked"},
		"empty":        {func(f *FakeConsul) { f.holds(1) }, "knows no instance"},
		"null":         {says(200, "12", "null"), "knows no instance"},
		"no leader":    {says(500, "", "No cluster leader"), "No cluster leader"},
		"forbidden":    {says(403, "", "Permission denied"), "403"},
		"moved":        {func(f *FakeConsul) { f.change(func() { f.wrong = moves; f.index++ }) }, "302"},
		"HTML":         {says(200, "12", "<html>"), "cannot be read"},
		"cut short":    {says(200, "12", `[{"Node": {"Addr`), "cannot be read"},
		"another type": {says(200, "12", `[{"Service": {"Port": "80"}}]`), "cannot be read"},
		"no index":     {says(200, "", "[]"), "index"},
		"no port":      {says(200, "12", `[{"Node": {"Address": "10.0.0.1"}}]`), "cannot be used"},
		"too long":     {says(200, "12", strings.Repeat(" ", 1<<20)+"[]"), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fakeConsul(t, "")
			f.holds(1, one("10.0.0.1"))
			w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url()}))
			w.wants(time.Second, "10.0.0.1:80")
			soon(t, time.Second, "it waits", func() bool { return f.count() == 2 })
			row.wrong(f)
			w.fails(5*time.Second, 0, row.part)
			if w.last() != "10.0.0.1:80" {
				t.Errorf("nothing is left but %q", w.last())
			}
			if name == "gone" {
				f.start()
			}
			f.change(func() { f.wrong = nil; f.index = 20; f.entries = []map[string]any{one("10.0.0.2")} })
			w.wants(healed, "10.0.0.2:80")
			if _, failures := w.counts(); failures != 1 {
				t.Errorf("%d failures were told, the last is %v", failures, w.why())
			}
		})
	}
}

// TestConsulHalfAnswers: an instance that cannot be dialed is left out, and told of.
func TestConsulHalfAnswers(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "")
	f.holds(1, one("10.0.0.1"), one("what is this?"), one("10.0.0.1"))
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url()}))
	w.wants(time.Second, "10.0.0.1:80")
	w.fails(time.Second, 0, "what is this?")
}

// TestConsulToken: the file is read for each request, and nothing tells what is in it.
func TestConsulToken(t *testing.T) {
	t.Parallel()
	f := fakeConsul(t, "s3cret")
	f.holds(1, one("10.0.0.1"))
	file := filepath.Join(t.TempDir(), "token")
	w := watch(t, consulAt(t, discovery.ConsulOptions{Address: f.url(), TokenFile: file}))
	w.fails(time.Second, 0, "token_file")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("0ld\n")
	w.fails(healed, 1, "403")
	write("s3cret\n")
	w.wants(healed, "10.0.0.1:80")
	if why := w.why().Error(); strings.Contains(why, "0ld") {
		t.Errorf("%q tells the token", why)
	}
}

func TestNewConsulRefuses(t *testing.T) {
	t.Parallel()
	for field, all := range map[string][]discovery.ConsulOptions{
		"address": {
			{Service: "a", Address: "127.0.0.1:8500"}, {Service: "a", Address: "http://consul"}, {Service: "a", Address: "http://a:80/v1"},
			{Service: "a", Address: "ftp://a:80"}, {Service: "a", Address: "http://u:p@a:80"},
		},
		"service":    {{}, {Service: "a/b"}, {Service: ".."}, {Service: strings.Repeat("a", 129)}},
		"tag":        {{Service: "a", Tag: "a b"}},
		"datacenter": {{Service: "a", Datacenter: "a&b"}},
		"ca":         {{Service: "a", CAFile: "ca.pem"}},
	} {
		for _, o := range all {
			_, err := discovery.NewConsul(o)
			refusedField(t, err, field)
		}
	}
}
