package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
)

// stand is an instance of a service that stands before the simulated one.
type stand struct {
	*httptest.Server
	asked  atomic.Int64
	broken atomic.Bool // it fails everything
}

func newStand(t *testing.T, service string) *stand {
	t.Helper()
	to, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	s, proxy := &stand{}, httputil.NewSingleHostReverseProxy(to)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stand) address() string { return strings.TrimPrefix(s.URL, "http://") }

func (s *stand) key() []byte { return []byte("/services/catalog/" + s.address()) }

// tellEtcd speaks to etcd's JSON gateway, in which bytes are in base64.
func tellEtcd(t *testing.T, server, what string, body map[string][]byte) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := send(t, http.MethodPost, server+"/v3/kv/"+what, string(text)); err != nil || a.status != http.StatusOK {
		t.Fatalf("etcd: %s: %d %s %v", what, a.status, a.body, err)
	}
}

// served is a gateway over the simulated services, of which the catalog is what a test
// says, such as "instances: [...]".
func served(t *testing.T, simulated *program, catalog string) (public, admin string) {
	t.Helper()
	text := strings.Replace(patient, "{budget: 2m}", "{budget: 2m}, home: {budget: 2m}", 1)
	for _, name := range serviceNames {
		block := fmt.Sprintf("instances: [%q]", simulated.announced("service "+name))
		if name == "catalog" {
			block = catalog + ", commands: {product: {timeout: 5s, cache: {stale: 0s}}}"
		}
		text += fmt.Sprintf("  %s: {%s}\n", name, block)
	}
	p := start(t, "serve", "--config", file(t, "facet.yaml", text))
	return p.announced("gateway"), p.announced("admin")
}

// TestOneBadInstanceOfFive fails everything: clients see the faults that it takes to find
// out, here two, and it is told. How soon the second one comes is up to the pool: an
// instance that has failed once counts as slow, and for a while nobody is sent there.
func TestOneBadInstanceOfFive(t *testing.T) {
	t.Parallel()
	simulated := start(t, "simulate")
	all, urls := make([]*stand, 5), make([]string, 5)
	for i := range all {
		all[i] = newStand(t, simulated.announced("service catalog"))
		urls[i] = fmt.Sprintf("%q", all[i].URL)
	}
	bad := all[2]
	bad.broken.Store(true)
	public, admin := served(t, simulated, "instances: ["+strings.Join(urls, ", ")+"], balance: {outlier: {consecutive: 2, ejection: 5m}}")
	lost := int64(0)
	deadline := time.Now().Add(time.Minute)
	for n := 0; n < 300 || bad.asked.Load() < 2 && time.Now().Before(deadline); n++ {
		if page(t, public, "phone", fmt.Sprint("p-", 1001+n%100)).status != http.StatusOK {
			lost++
		}
	}
	for range 100 {
		if page(t, public, "phone", "p-1042").status != http.StatusOK {
			lost++
		}
	}
	if lost != 2 || bad.asked.Load() != 2 {
		t.Errorf("%d pages were lost, the bad one was asked %d times", lost, bad.asked.Load())
	}
	for i, one := range all {
		if one != bad && one.asked.Load() == 0 { // the quicker ones get more
			t.Errorf("instance %d was asked %d times", i, one.asked.Load())
		}
	}
	if got := instancesOf(t, admin)[bad.address()]; got != "out" {
		t.Errorf("it is told as %q", got)
	}
	series := seriesOf(t, admin)
	known, out := series[`facet_service_instances{service="catalog"}`], series[`facet_service_instances_out{service="catalog"}`]
	if known != "5" || out != "1" {
		t.Errorf("the metrics know %s, %s of them out", known, out)
	}
}

// instancesOf are the states of the catalog's instances, by their address.
func instancesOf(t *testing.T, admin string) map[string]string {
	t.Helper()
	var told map[string]struct {
		Instances []struct{ Address, State string }
	}
	if err := json.Unmarshal([]byte(get(t, admin+"/instances").body), &told); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, one := range told["catalog"].Instances {
		states[one.Address] = one.State
	}
	return states
}

// TestInstancesAreFound in a real etcd, while pages are asked for: they come and go, and
// no page is lost, neither while etcd is dead.
func TestInstancesAreFound(t *testing.T) {
	t.Parallel()
	simulated := start(t, "simulate")
	server := etcdtest.Start(t)
	put := func(s *stand) {
		t.Helper()
		tellEtcd(t, server.URL, "put", map[string][]byte{"key": s.key(), "value": []byte(s.address())})
	}
	remove := func(s *stand) {
		t.Helper()
		tellEtcd(t, server.URL, "deleterange", map[string][]byte{"key": s.key()})
	}
	one, other := newStand(t, simulated.announced("service catalog")), newStand(t, simulated.announced("service catalog"))
	put(one)
	public, admin := served(t, simulated, fmt.Sprintf("resolver: {etcd: {endpoints: [%q], prefix: /services/catalog}}", server.URL))
	has := func(want ...*stand) func() bool {
		return func() bool {
			got := instancesOf(t, admin)
			return len(got) == len(want) && !slices.ContainsFunc(want, func(s *stand) bool { return got[s.address()] == "" })
		}
	}
	crowd := gather(t, "", public)
	eventually(t, "the first one is known", has(one))
	put(other)
	eventually(t, "the second one is", has(one, other))
	remove(one)
	eventually(t, "the first one is forgotten", has(other))
	before := other.asked.Load()
	eventually(t, "the second one is asked", func() bool { return other.asked.Load() > before })
	remove(other) // an empty registry empties no pool
	server.Kill()
	pages := crowd.pages.Load()
	eventually(t, "pages come without etcd", func() bool { return crowd.pages.Load() > pages+50 })
	if !has(other)() {
		t.Errorf("without etcd there are %v", instancesOf(t, admin))
	}
	server.Start()
	put(one)
	eventually(t, "etcd is back, with another one", has(one))
	crowd.disperse()
	if n := crowd.lost.Load(); n > 0 {
		t.Errorf("%d of %d pages were lost", n, crowd.pages.Load())
	}
}

// TestNoInstanceIsKnown: a page that needs the service is a typed problem, at once.
func TestNoInstanceIsKnown(t *testing.T) {
	t.Parallel()
	simulated := start(t, "simulate")
	const nowhere = `resolver: {dns: {name: catalog.invalid, type: a, port: 1, servers: ["127.0.0.1:1"]}}`
	public, admin := served(t, simulated, nowhere)
	if got := page(t, public, "phone", "p-1042"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"unavailable"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if told := get(t, admin+"/instances").body; !strings.Contains(told, `"stale": true`) || !strings.Contains(told, "catalog.invalid") {
		t.Errorf("it is told %s", told)
	}
}
