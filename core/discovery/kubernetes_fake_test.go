package discovery_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
)

// FakeKubernetes is no Kubernetes: it lists and watches EndpointSlices as the
// documentation of its API says, and fails the test if a client breaks that contract.
// It ends with the test.
type FakeKubernetes struct {
	t      *testing.T
	addr   string
	folder string

	mu      sync.Mutex
	server  *httptest.Server
	token   string
	slices  map[string]map[string]any
	version int
	history []kubernetesEvent
	oldest  int             // what came after an older version is forgotten
	late    bool            // that a version is too old is told by an event, not by a status
	given   map[string]bool // the versions that a client may know
	changed chan struct{}   // closed with the next change
	cut     chan struct{}   // closed to end all watches
	wrong   func(w http.ResponseWriter, q *http.Request) bool
	opened  int // watches that go on
	lists   int
	watches int
}

type kubernetesEvent struct {
	version  int
	bookmark bool
	text     string
}

func fakeKubernetes(t *testing.T) *FakeKubernetes {
	t.Helper()
	f := &FakeKubernetes{
		t: t, addr: "127.0.0.1:0", folder: t.TempDir(), slices: make(map[string]map[string]any), version: 100,
		given: make(map[string]bool), changed: make(chan struct{}), cut: make(chan struct{}),
	}
	f.renew("t0ken-1")
	f.start()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	if err := os.WriteFile(f.file("ca.crt"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.stop)
	return f
}

func (f *FakeKubernetes) file(name string) string { return filepath.Join(f.folder, name) }

func (f *FakeKubernetes) start() {
	f.t.Helper()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr = l.Addr().String()
	f.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: f, ReadHeaderTimeout: time.Second}}
	f.server.StartTLS()
}

func (f *FakeKubernetes) stop() {
	f.server.CloseClientConnections()
	f.server.Close()
}

// renew has another token accepted, and no more the one before.
func (f *FakeKubernetes) renew(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token = token
	if err := os.WriteFile(f.file("token"), []byte(token+"\n"), 0o600); err != nil {
		f.t.Error(err)
	}
}

func (f *FakeKubernetes) options() discovery.KubernetesOptions {
	return discovery.KubernetesOptions{
		Service: "catalog", Namespace: "shop", Port: "http", Address: "https://" + f.addr,
		TokenFile: f.file("token"), CAFile: f.file("ca.crt"),
	}
}

// slice is an EndpointSlice as the documentation shows it, with more than is read.
func slice(endpoints ...map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": endpoints,
		"ports": []map[string]any{
			{"name": "metrics", "protocol": "TCP", "port": 9090}, {"name": "http", "protocol": "TCP", "port": 8080},
			{"name": "http", "protocol": "UDP", "port": 8443},
		},
	}
}

func endpoint(address string) map[string]any {
	return map[string]any{
		"addresses": []string{address, "10.9.9.9"}, "nodeName": "n1", "targetRef": map[string]string{"kind": "Pod", "name": "catalog-1"},
		"conditions": map[string]any{"ready": true, "serving": true, "terminating": false},
	}
}

func with(e map[string]any, name string, value any) map[string]any {
	e[name] = value
	return e
}

// put adds a slice or changes it; nil deletes it.
func (f *FakeKubernetes) put(name string, s map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := "MODIFIED"
	before, is := f.slices[name]
	f.version++
	switch {
	case s == nil:
		kind, s = "DELETED", before
		delete(f.slices, name)
	case !is:
		kind = "ADDED"
	}
	s["metadata"] = map[string]any{
		"name": name, "namespace": "shop", "resourceVersion": strconv.Itoa(f.version),
		"labels": map[string]string{"kubernetes.io/service-name": "catalog"},
	}
	if kind != "DELETED" {
		f.slices[name] = s
	}
	f.happens(kind, s)
}

// happens has watches hear of an object.
func (f *FakeKubernetes) happens(kind string, object map[string]any) {
	text, err := json.Marshal(map[string]any{"type": kind, "object": object})
	if err != nil {
		f.t.Error(err)
	}
	f.history = append(f.history, kubernetesEvent{f.version, kind == "BOOKMARK", string(text) + "\n"})
	close(f.changed)
	f.changed = make(chan struct{})
}

// bookmark tells watches how far they are.
func (f *FakeKubernetes) bookmark(by int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version += by
	f.happens("BOOKMARK", map[string]any{
		"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": map[string]any{"resourceVersion": strconv.Itoa(f.version)},
	})
}

// change changes how it behaves.
func (f *FakeKubernetes) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
}

// end ends all watches, as a server does after a while.
func (f *FakeKubernetes) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.cut)
	f.cut = make(chan struct{})
}

func (f *FakeKubernetes) counts() (lists, watches int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lists, f.watches
}

func (f *FakeKubernetes) open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened
}

func (f *FakeKubernetes) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	f.contract(q)
	f.mu.Lock()
	wrong, allowed := f.wrong, q.Header.Get("Authorization") == "Bearer "+f.token
	f.mu.Unlock()
	if wrong != nil && wrong(w, q) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !allowed {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"kind": "Status", "code": 401, "message": "Unauthorized"}`)
		return
	}
	if q.URL.Query().Has("watch") {
		f.watch(w, q)
		return
	}
	f.list(w)
}

// contract fails the test if a request is not as the documentation wants it.
func (f *FakeKubernetes) contract(q *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Method != http.MethodGet || q.URL.Path != "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices" {
		f.t.Errorf("asked %s %s", q.Method, q.URL.Path)
	}
	values := q.URL.Query()
	if values.Get("labelSelector") != "kubernetes.io/service-name=catalog" {
		f.t.Errorf("selected %q", values.Get("labelSelector"))
	}
	known := map[string]bool{"labelSelector": true}
	if values.Has("watch") {
		f.watches++
		for _, name := range []string{"watch", "allowWatchBookmarks", "resourceVersion", "timeoutSeconds"} {
			known[name] = true
		}
		if n, err := strconv.Atoi(values.Get("timeoutSeconds")); err != nil || n < 1 {
			f.t.Errorf("watches for %q seconds", values.Get("timeoutSeconds"))
		}
		if !f.given[values.Get("resourceVersion")] {
			f.t.Errorf("watches from %q, which nobody told", values.Get("resourceVersion"))
		}
	} else {
		f.lists++
	}
	for name, all := range values {
		if !known[name] || len(all) != 1 {
			f.t.Errorf("asked with %s=%v", name, all)
		}
	}
}

func (f *FakeKubernetes) list(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	items := []map[string]any{}
	for _, s := range f.slices {
		items = append(items, s)
	}
	version := strconv.Itoa(f.version)
	f.given[version] = true
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1", "metadata": map[string]any{"resourceVersion": version}, "items": items,
	})
}

const expired = `{"kind": "Status", "apiVersion": "v1", "status": "Failure",
	"message": "too old resource version", "reason": "Expired", "code": 410}`

// watch tells what comes after a version, until the time is over or it is ended.
func (f *FakeKubernetes) watch(w http.ResponseWriter, q *http.Request) {
	at, _ := strconv.Atoi(q.URL.Query().Get("resourceVersion"))
	f.mu.Lock()
	old, late, cut := at < f.oldest, f.late, f.cut
	f.mu.Unlock()
	if old && !late {
		w.WriteHeader(http.StatusGone)
		_, _ = fmt.Fprint(w, expired)
		return
	}
	flush := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	_ = flush.Flush()
	if old {
		_, _ = fmt.Fprintf(w, `{"type": "ERROR", "object": %s}`, expired)
		return
	}
	f.change(func() { f.opened++ })
	defer f.change(func() { f.opened-- })
	for {
		news, changed := f.after(&at, q.URL.Query().Get("allowWatchBookmarks") == "true")
		if news != "" {
			_, _ = fmt.Fprint(w, news)
			_ = flush.Flush()
		}
		select {
		case <-changed:
		case <-cut:
			return
		case <-q.Context().Done():
			return
		}
	}
}

// after returns what happened after a version, and when there is more.
func (f *FakeKubernetes) after(version *int, bookmarks bool) (news string, changed chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.history {
		if e.version > *version && (bookmarks || !e.bookmark) {
			news += e.text
			f.given[strconv.Itoa(e.version)] = true
		}
	}
	*version = f.version
	return news, f.changed
}
