package discovery_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// FakeConsul is no Consul: it answers as the documentation of Consul's HTTP API says
// of /v1/health/service/:service and of blocking queries, and fails the test if a
// client breaks that contract. It ends with the test.
type FakeConsul struct {
	t     *testing.T
	addr  string
	token string // "": nobody needs one

	mu       sync.Mutex
	server   *httptest.Server
	entries  []map[string]any
	index    uint64
	given    uint64                                            // the index of the last answer
	reset    bool                                              // that one went backwards: the next query must begin anew
	changed  chan struct{}                                     // closed with the next change
	wrong    func(w http.ResponseWriter, q *http.Request) bool // answers instead, if it likes
	asked    int
	blocked  int // queries that wait now
	restored int // snapshots: each ends the queries that wait
}

func fakeConsul(t *testing.T, token string) *FakeConsul {
	t.Helper()
	f := &FakeConsul{t: t, addr: "127.0.0.1:0", token: token, index: 10, changed: make(chan struct{})}
	f.start()
	t.Cleanup(f.stop)
	return f
}

func (f *FakeConsul) start() {
	f.t.Helper()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr = l.Addr().String()
	f.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: f, ReadHeaderTimeout: time.Second}}
	f.server.Start()
}

func (f *FakeConsul) stop() {
	f.server.CloseClientConnections()
	f.server.Close()
}

func (f *FakeConsul) url() string { return "http://" + f.addr }

// consulInstance is an entry as the documentation shows it, with more than is read.
func consulInstance(node, address string, port int, zone string) map[string]any {
	service := map[string]any{
		"ID": "catalog-1", "Service": "catalog", "Tags": []string{"primary"}, "Address": address, "Port": port,
		"Meta": map[string]string{"version": "4.0"}, "Weights": map[string]int{"Passing": 10, "Warning": 1},
	}
	if zone != "" {
		service["Locality"] = map[string]string{"Region": "eu-west-1", "Zone": zone}
	}
	return map[string]any{
		"Node":    map[string]any{"ID": "40e4a748", "Node": "n1", "Address": node, "Datacenter": "dc1", "Meta": map[string]string{}},
		"Service": service,
		"Checks":  []map[string]any{{"Node": "n1", "CheckID": "serfHealth", "Status": "passing", "ServiceTags": []string{}}},
	}
}

// holds changes the instances, and the index by some steps, at least one.
func (f *FakeConsul) holds(by int, entries ...map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries, f.index = entries, f.index+uint64(by)
	f.notify()
}

// restore takes the state from a snapshot, whose index may be an older one.
func (f *FakeConsul) restore(index uint64, entries ...map[string]any) {
	f.change(func() {
		f.index, f.entries = index, entries
		f.restored++
	})
}

func (f *FakeConsul) notify() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// change changes how it behaves, and has queries that block see it.
func (f *FakeConsul) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	f.notify()
}

func (f *FakeConsul) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

func (f *FakeConsul) waits() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blocked == 1
}

func (f *FakeConsul) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	f.mu.Lock()
	f.asked++
	wrong := f.wrong
	f.mu.Unlock()
	index, wait := f.contract(q)
	if wrong != nil && wrong(w, q) {
		return
	}
	if f.token != "" && q.Header.Get("X-Consul-Token") != f.token {
		http.Error(w, "Permission denied: token with AccessorID '...' lacks permission 'service:read'", http.StatusForbidden)
		return
	}
	f.block(q, index, wait)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reset, f.given = f.index < index, f.index
	w.Header().Set("X-Consul-Index", strconv.FormatUint(f.index, 10))
	w.Header().Set("Content-Type", "application/json")
	entries := f.entries
	if entries == nil {
		entries = []map[string]any{}
	}
	_ = json.NewEncoder(w).Encode(entries)
}

// contract fails the test if a query is not as the documentation wants it.
func (f *FakeConsul) contract(q *http.Request) (index uint64, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Method != http.MethodGet || q.URL.Path != "/v1/health/service/catalog" {
		f.t.Errorf("asked %s %s", q.Method, q.URL.Path)
	}
	values := q.URL.Query()
	for name, all := range values {
		want := map[string]string{"passing": "1", "tag": "primary", "dc": "dc1", "index": "", "wait": ""}
		if allowed, known := want[name]; !known || len(all) != 1 || allowed != "" && all[0] != allowed {
			f.t.Errorf("asked with %s=%v", name, all)
		}
	}
	if values.Get("passing") == "" {
		f.t.Error("asked for instances that are ill")
	}
	if !values.Has("index") {
		return 0, 0
	}
	index, err := strconv.ParseUint(values.Get("index"), 10, 64)
	if err != nil || index < 1 || index != max(f.given, 1) {
		f.t.Errorf("waits behind %q, was given %d", values.Get("index"), f.given)
	}
	if f.reset {
		f.t.Errorf("waits behind %d, though the index went backwards", index)
	}
	if wait, err = time.ParseDuration(values.Get("wait")); err != nil || wait <= 0 || wait > 10*time.Minute {
		f.t.Errorf("waits for %q", values.Get("wait"))
	}
	return index, wait
}

// waiting counts a query that waits, until it is called back.
func (f *FakeConsul) waiting() (done func()) {
	add := func(n int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.blocked += n
	}
	add(1)
	return func() { add(-1) }
}

// block waits for a change behind an index, and up to a sixteenth longer than asked.
func (f *FakeConsul) block(q *http.Request, index uint64, wait time.Duration) {
	if index == 0 {
		return
	}
	defer f.waiting()()
	f.mu.Lock()
	before := f.restored
	f.mu.Unlock()
	timer := time.NewTimer(wait + wait/16)
	defer timer.Stop()
	for {
		f.mu.Lock()
		now, restored, changed := f.index, f.restored, f.changed
		f.mu.Unlock()
		if now > index || restored != before {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-q.Context().Done():
			return
		}
	}
}

// answers has it say a text instead of what it knows.
func answers(status int, index, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		if index != "" {
			w.Header().Set("X-Consul-Index", index)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, text)
		return true
	}
}

// hangs has it answer nothing, until whoever asks has gone.
func hangs(_ http.ResponseWriter, q *http.Request) bool {
	<-q.Context().Done()
	return true
}

// moves sends whoever asks to where nobody should ask: the contract is broken there.
func moves(w http.ResponseWriter, q *http.Request) bool {
	http.Redirect(w, q, "/elsewhere", http.StatusFound)
	return true
}
