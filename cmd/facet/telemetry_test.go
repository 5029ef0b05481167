package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// seriesOf returns the gateway's own series: Go's come and go.
func seriesOf(t *testing.T, admin string) map[string]string {
	t.Helper()
	series := map[string]string{}
	for line := range strings.Lines(get(t, admin+"/metrics").body) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), " "); found && strings.HasPrefix(name, "facet_") {
			series[name] = value
		}
	}
	return series
}

// TestMetricsOfTheProgram: promtool has nothing to say of them, and strange
// requests to the real port add no series.
func TestMetricsOfTheProgram(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	admin := p.announced("admin")
	for _, device := range []string{"tv", "phone", "tablet"} {
		whole(t, gateway, device, "p-1042")
	}
	before := seriesOf(t, admin)
	if before[`facet_requests_total{code="404",device="other",page="other",version="none"}`] != "0" ||
		before[`facet_requests_total{code="200",device="tv",page="productdetails",version="v1"}`] == "0" ||
		before[`facet_command_runs_total{command="catalog.product",outcome="success",service="catalog"}`] == "0" {
		t.Errorf("%d series: %v", len(before), before)
	}
	for i := range 200 {
		strange(t, gateway, i)
	}
	after := seriesOf(t, admin)
	for name := range after {
		// Parts of pages have a series once they have stood somewhere: those of a page
		// for nobody, or of a product that is unknown, are new here.
		if _, there := before[name]; !there && !strings.HasPrefix(name, "facet_page_parts_total{") &&
			!strings.HasPrefix(name, "facet_part_age_seconds") {
			t.Errorf("a strange request has made the series %s", name)
		}
		if strings.Contains(name, "strange") {
			t.Errorf("a word of a client's is in %s", name)
		}
	}
	if after[`facet_requests_total{code="404",device="other",page="other",version="none"}`] == "0" {
		t.Error("unknown paths are not counted")
	}
	promtool := exec.Command("promtool", "check", "metrics")
	promtool.Stdin = strings.NewReader(get(t, admin+"/metrics").body)
	if said, err := promtool.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool: %v %s", err, said)
	}
}

// strange asks for something that there is not.
func strange(t *testing.T, gateway string, i int) {
	t.Helper()
	word := fmt.Sprintf("strange%x", rand.Uint64())
	methods := []string{"GET", "POST", "PUT", "STRANGE" + fmt.Sprint(i), "OPTIONS"}
	targets := []string{"/" + word, "/productdetails?productid=" + word, "/productdetails/" + word, "/home?" + word + "=1", "/wishlist"}
	r, err := http.NewRequest(methods[i%len(methods)], gateway+targets[i/len(methods)%len(targets)], http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Device-Type", []string{"tv", word, "phone", ""}[i%4])
	r.Header.Set("X-User-Id", word)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
}

// TestHystrixStreamOfTheProgram: two events for each command, and an end with
// the program's.
func TestHystrixStreamOfTheProgram(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	admin := p.announced("admin")
	whole(t, gateway, "phone", "p-1042")
	commands := decode[[]struct{ Name string }](t, get(t, admin+"/commands").body)
	answer, err := http.Get(admin + "/hystrix.stream?delay=100")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	lines, seen := bufio.NewScanner(answer.Body), map[string]bool{}
	for len(seen) < 2*len(commands) && lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		var event struct{ Type, Name string }
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			t.Fatal(err)
		}
		seen[event.Type+" "+event.Name] = true
	}
	for _, c := range commands {
		if !seen["HystrixCommand "+c.Name] || !seen["HystrixThreadPool "+c.Name] {
			t.Errorf("the stream does not tell of %s", c.Name)
		}
	}
	p.signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	if status := p.status(); status != 0 || lines.Err() != nil {
		t.Errorf("exit status %d, the stream ended with %v", status, lines.Err())
	}
}
