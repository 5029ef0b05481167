package discovery_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
)

func kubernetesAt(t *testing.T, o discovery.KubernetesOptions) *discovery.Kubernetes {
	t.Helper()
	r, err := discovery.NewKubernetes(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// watchedSlices watches a fake that has a slice of one endpoint.
func watchedSlices(t *testing.T) (*FakeKubernetes, *watched) {
	t.Helper()
	f := fakeKubernetes(t)
	f.put("catalog-a", slice(endpoint("10.0.0.1")))
	w := watch(t, kubernetesAt(t, f.options()))
	w.wants(2*time.Second, "10.0.0.1:8080")
	soon(t, time.Second, "it watches", func() bool { _, n := f.counts(); return n == 1 })
	return f, w
}

func TestKubernetesWatches(t *testing.T) {
	t.Parallel()
	f, w := watchedSlices(t)
	conditions := func(ready any) map[string]any { return map[string]any{"ready": ready} }
	f.put("catalog-b", slice(
		with(endpoint("10.0.0.2"), "zone", "eu-west-1a"), endpoint("10.0.0.1"), // which is in two slices
		with(endpoint("10.0.0.3"), "conditions", conditions(false)), with(endpoint("10.0.0.4"), "conditions", conditions(nil)),
		with(endpoint("10.0.0.5"), "conditions", map[string]any{}),
	))
	w.wants(time.Second, "10.0.0.1:8080", "10.0.0.2:8080@eu-west-1a", "10.0.0.4:8080", "10.0.0.5:8080")
	f.put("catalog-v6", with(slice(endpoint("fd00::7")), "addressType", "IPv6"))
	f.put("catalog-b", slice(endpoint("10.0.0.2")))
	w.wants(time.Second, "10.0.0.1:8080", "10.0.0.2:8080", "[fd00::7]:8080")
	f.put("catalog-a", nil)
	w.wants(time.Second, "10.0.0.2:8080", "[fd00::7]:8080")
	if _, failures := w.counts(); failures != 0 {
		t.Errorf("%d failures were told: %v", failures, w.why())
	}
}

// TestKubernetesGoesOn: when the server ends a watch, the next one begins where it
// was, which may be at a bookmark, without another list.
func TestKubernetesGoesOn(t *testing.T) {
	t.Parallel()
	f, w := watchedSlices(t)
	f.put("catalog-a", slice(endpoint("10.0.0.2")))
	w.wants(time.Second, "10.0.0.2:8080")
	f.bookmark(50)
	f.change(func() { f.oldest = f.version }) // what was before the bookmark is forgotten
	soon(t, time.Second, "the bookmark was sent", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.given[fmt.Sprint(f.version)]
	})
	f.end()
	f.put("catalog-a", slice(endpoint("10.0.0.3")))
	w.wants(time.Second, "10.0.0.3:8080")
	if lists, watches := f.counts(); lists != 1 || watches != 2 {
		t.Errorf("%d lists and %d watches", lists, watches)
	}
}

// TestKubernetesCutOff: a watch that is cut off is no failure while a list is answered.
func TestKubernetesCutOff(t *testing.T) {
	t.Parallel()
	f, w := watchedSlices(t)
	f.server.CloseClientConnections()
	f.put("catalog-a", slice(endpoint("10.0.0.2")))
	w.wants(time.Second, "10.0.0.2:8080")
	soon(t, time.Second, "it watches again", func() bool { _, n := f.counts(); return n == 2 })
	f.put("catalog-a", slice(endpoint("10.0.0.3")))
	w.wants(time.Second, "10.0.0.3:8080")
	if _, failures := w.counts(); failures != 0 {
		t.Errorf("%d failures were told: %v", failures, w.why())
	}
}

// TestKubernetesExpires: where the server has forgotten what came after a version, it
// is listed anew, and that is no failure.
func TestKubernetesExpires(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"by a status": false, "by an event": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, w := watchedSlices(t)
			f.change(func() { f.late, f.oldest = late, f.version+1 })
			f.end()
			soon(t, time.Second, "it is refused some times", func() bool { _, n := f.counts(); return n >= 4 })
			f.put("catalog-a", slice(endpoint("10.0.0.2")))
			w.wants(time.Second, "10.0.0.2:8080")
			f.put("catalog-a", slice(endpoint("10.0.0.3")))
			w.wants(time.Second, "10.0.0.3:8080")
			if _, failures := w.counts(); failures != 0 {
				t.Errorf("%d failures were told: %v", failures, w.why())
			}
		})
	}
}

// TestKubernetesKeeps: whatever is wrong, what was told holds, one failure is told,
// and the next good answer is heard.
func TestKubernetesKeeps(t *testing.T) {
	t.Parallel()
	wrong := func(how func(http.ResponseWriter, *http.Request) bool) func(f *FakeKubernetes) {
		return func(f *FakeKubernetes) { f.change(func() { f.wrong = how }); f.server.CloseClientConnections() }
	}
	says := func(status int, text string) func(f *FakeKubernetes) { return wrong(answers(status, "", text)) }
	list := `{"kind": "EndpointSliceList", "metadata": {"resourceVersion": "100"}, "items": [%s]}`
	for name, row := range map[string]struct {
		wrong func(f *FakeKubernetes)
		part  string
	}{
		"gone":     {(*FakeKubernetes).stop, "cannot be asked"},
		"hung":     {wrong(hangs), "cannot be asked"},
		"empty":    {func(f *FakeKubernetes) { f.put("catalog-a", slice()) }, "knows no instance"},
		"no slice": {func(f *FakeKubernetes) { f.put("catalog-a", nil) }, "knows no instance"},
		"none ready": {func(f *FakeKubernetes) {
			f.put("catalog-a", slice(with(endpoint("10.0.0.1"), "conditions", map[string]any{"ready": false})))
		}, "knows no instance"},
		"no port":      {func(f *FakeKubernetes) { f.put("catalog-a", with(slice(endpoint("10.0.0.1")), "ports", nil)) }, "no port"},
		"broken":       {says(500, "etcdserver: request timed out"), "request timed out"},
		"forbidden":    {says(403, "endpointslices is forbidden"), "is forbidden"},
		"moved":        {says(301, ""), "301"},
		"HTML":         {says(200, "<html>"), "cannot be read"},
		"no list":      {says(200, `{"kind": "Status"}`), "Status"},
		"another type": {says(200, fmt.Sprintf(list, `{"endpoints": {}}`)), "cannot be read"},
		"too long":     {says(200, fmt.Sprintf(list, strings.Repeat(" ", 1<<20))), "more than"},
		"many slices":  {says(200, fmt.Sprintf(list, "{}"+strings.Repeat(",{}", 256))), "more than 256 slices"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, w := watchedSlices(t)
			row.wrong(f)
			w.fails(5*time.Second, 0, row.part)
			if w.last() != "10.0.0.1:8080" {
				t.Errorf("nothing is left but %q", w.last())
			}
			if name == "gone" {
				f.start()
			}
			f.change(func() { f.wrong = nil })
			f.put("catalog-a", slice(endpoint("10.0.0.2")))
			w.wants(healed, "10.0.0.2:8080")
			if _, failures := w.counts(); failures != 1 {
				t.Errorf("%d failures were told, the last is %v", failures, w.why())
			}
		})
	}
}

// TestKubernetesWithoutWatch: where lists are answered and watches are not, lists are
// read, and that is told once.
func TestKubernetesWithoutWatch(t *testing.T) {
	t.Parallel()
	event := func(text string) string { return `{"type": "ADDED", "object": ` + text + `}` }
	for name, row := range map[string]struct {
		status     int
		text, part string
	}{
		"forbidden":    {403, "cannot watch", "cannot watch"},
		"HTML":         {200, "<html>", "cannot be read"},
		"another type": {200, event(`{"metadata": []}`), "cannot be read"},
		"no version":   {200, event(`{"metadata": {"name": "catalog-a"}}`), "no slice"},
		"unknown":      {200, `{"type": "SHOUTED", "object": {}}`, "SHOUTED"},
		"error":        {200, `{"type": "ERROR", "object": {"code": 500, "message": "an internal one"}}`, "an internal one"},
		"too long":     {200, event(`{"kind": "` + strings.Repeat("a", 1<<20) + `"}`), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fakeKubernetes(t)
			f.put("catalog-a", slice(endpoint("10.0.0.1")))
			says := answers(row.status, "", row.text)
			f.wrong = func(w http.ResponseWriter, q *http.Request) bool { return q.URL.Query().Has("watch") && says(w, q) }
			w := watch(t, kubernetesAt(t, f.options()))
			w.wants(time.Second, "10.0.0.1:8080")
			w.fails(time.Second, 0, row.part)
			soon(t, 5*time.Second, "some lists", func() bool { n, _ := f.counts(); return n >= 4 })
			f.put("catalog-a", slice(endpoint("10.0.0.2")))
			w.wants(3*time.Second, "10.0.0.2:8080")
			if lists, failures := w.counts(); lists != 3 || failures != 2 { // each list tells what is wrong with it
				t.Errorf("%d lists and %d failures were told", lists, failures)
			}
			f.change(func() { f.wrong = nil })
			soon(t, healed, "it watches", func() bool { return f.open() == 1 })
			f.put("catalog-a", slice(endpoint("10.0.0.3")))
			w.wants(time.Second, "10.0.0.3:8080")
			if _, failures := w.counts(); failures != 2 {
				t.Errorf("%d failures were told, the last is %v", failures, w.why())
			}
		})
	}
}

// TestKubernetesHalfAnswers: an endpoint that cannot be dialed is left out, and told of.
func TestKubernetesHalfAnswers(t *testing.T) {
	t.Parallel()
	f, w := watchedSlices(t)
	f.put("catalog-b", slice(endpoint("what is this?"), with(endpoint(""), "addresses", nil), endpoint("10.0.0.2")))
	w.wants(time.Second, "10.0.0.1:8080", "10.0.0.2:8080")
	w.fails(time.Second, 0, "what is this?")
}

// TestKubernetesPort: one of several has to be named, the only one has not.
func TestKubernetesPort(t *testing.T) {
	t.Parallel()
	f := fakeKubernetes(t)
	f.put("catalog-a", slice(endpoint("10.0.0.1")))
	o := f.options()
	o.Port = ""
	w := watch(t, kubernetesAt(t, o))
	w.fails(2*time.Second, 0, "several ports")
	f.put("catalog-a", with(slice(endpoint("10.0.0.1")), "ports", []map[string]any{{"port": 8081}}))
	w.wants(time.Second, "10.0.0.1:8081")
}

// TestKubernetesToken: the file is read for each request, and nothing tells what is in it.
func TestKubernetesToken(t *testing.T) {
	t.Parallel()
	f, w := watchedSlices(t)
	f.renew("t0ken-2")
	f.end()
	f.put("catalog-a", slice(endpoint("10.0.0.2")))
	w.wants(time.Second, "10.0.0.2:8080")
	f.change(func() { f.token = "t0ken-3" })
	f.end()
	w.fails(healed, 0, "401")
	f.renew("t0ken-3")
	f.put("catalog-a", slice(endpoint("10.0.0.3")))
	w.wants(healed, "10.0.0.3:8080")
	if why := w.why().Error(); strings.Contains(why, "t0ken") {
		t.Errorf("%q tells the token", why)
	}
}

// TestKubernetesOutsideOfAPod says what is missing, each time until it is there.
func TestKubernetesOutsideOfAPod(t *testing.T) {
	f := fakeKubernetes(t)
	f.put("catalog-a", slice(endpoint("10.0.0.1")))
	if err := os.Remove(f.file("token")); err != nil {
		t.Fatal(err)
	}
	o := f.options()
	host, port, _ := strings.Cut(f.addr, ":")
	o.Address = ""
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "")
	w := watch(t, kubernetesAt(t, o))
	w.fails(time.Second, 0, "this is no pod")
	w.stop()
	t.Setenv("KUBERNETES_SERVICE_HOST", host)
	t.Setenv("KUBERNETES_SERVICE_PORT", port)
	w = watch(t, kubernetesAt(t, o))
	w.fails(time.Second, 0, "token_file")
	f.renew("t0ken-2")
	w.wants(healed, "10.0.0.1:8080")
	o.CAFile = o.TokenFile
	watch(t, kubernetesAt(t, o)).fails(time.Second, 0, "no certificate")
}

func TestNewKubernetesRefuses(t *testing.T) {
	t.Parallel()
	for field, all := range map[string][]discovery.KubernetesOptions{
		"service":   {{}, {Service: "Catalog"}, {Service: "a/b"}, {Service: "-a"}, {Service: "a-"}, {Service: strings.Repeat("a", 64)}},
		"port":      {{Service: "a", Port: "HTTP"}},
		"namespace": {{Service: "a", Namespace: ".."}},
		"address":   {{Service: "a", Address: "http://10.0.0.1:80"}, {Service: "a", Address: "10.0.0.1:443"}},
	} {
		for _, o := range all {
			_, err := discovery.NewKubernetes(o)
			refusedField(t, err, field)
		}
	}
}
