package main_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func demo(t *testing.T, flags ...string) (p *program, gateway, faults string) {
	t.Helper()
	p = start(t, append([]string{"demo", "--listen", ":0", "--admin", ":0"}, flags...)...)
	return p, p.announced("gateway"), p.announced("faults")
}

// whole asks until no part of the page is degraded: on a busy machine the first
// calls may take longer than they are given.
func whole(t *testing.T, gateway, device, id string) answer {
	t.Helper()
	var a answer
	eventually(t, "a whole page for "+device, func() bool {
		a = page(t, gateway, device, id)
		return a.status == http.StatusOK && a.header.Get("Facet-Parts") == ""
	})
	return a
}

func TestDemoAnswersEachDeviceWithItsOwnPage(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	pages := map[string]string{}
	for _, device := range []string{"tv", "phone", "tablet"} {
		a := whole(t, gateway, device, "p-1042")
		if got, want := a.header.Get("Facet-Adapter"), device+"/v1"; got != want {
			t.Errorf("%s was answered by %q, want %q", device, got, want)
		}
		if title := decode[map[string]any](t, a.body)["title"]; title != "Arden 2-Person Trail Tent" {
			t.Errorf("%s: title %q", device, title)
		}
		if other, twice := pages[a.body]; twice {
			t.Errorf("%s and %s got one page: %s", device, other, a.body)
		}
		pages[a.body] = device
	}
	if a := get(t, p.announced("admin")+"/readyz"); a.status != http.StatusOK {
		t.Errorf("readiness %d", a.status)
	}
	p.signal(syscall.SIGINT)
	if status := p.status(); status != 0 {
		t.Errorf("exit status %d after Ctrl-C, want 0", status)
	}
	if log := p.stderr.String(); !strings.Contains(log, "stopping; a second signal ends at once") {
		t.Errorf("the log does not tell of the stop: %s", log)
	}
}

func TestDemoPrintsWhatToTry(t *testing.T) {
	t.Parallel()
	p, gateway, faults := demo(t)
	admin := p.announced("admin")
	eventually(t, "the last line", func() bool { return strings.HasSuffix(p.stdout.String(), "Ctrl-C stops it.\n") })
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	said := p.stdout.String()
	for _, want := range []string{
		"curl -i -H 'X-Device-Type: tv' -H 'X-User-Id: u-7' '" + gateway + "/productdetails?productid=p-1042'",
		"curl -i -H 'X-Device-Type: phone' -H 'X-User-Id: u-7' '" + gateway + "/productdetails?productid=p-1042'",
		"curl -i -H 'X-Device-Type: tablet' -H 'X-User-Id: u-7' '" + gateway + "/productdetails?productid=p-1042'",
		"curl -X PUT " + faults + "/faults/reviews -d hang",
		"curl " + admin + "/commands/reviews.reviews",
		"curl -X DELETE " + faults + "/faults/reviews",
		"curl " + admin + "/audit",
	} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("%q is not printed", want)
		}
	}
}

func TestPageOutlivesAHungService(t *testing.T) {
	t.Parallel()
	_, gateway, faults := demo(t)
	breakService(t, faults, "reviews", "hang")
	eventually(t, "a page without reviews alone", func() bool {
		a := page(t, gateway, "phone", "p-1042")
		parts, alone := strings.CutPrefix(a.header.Get("Facet-Parts"), "reviews=missing;reason=")
		return a.status == http.StatusOK && alone && (parts == "timeout" || parts == "open")
	})
	breakService(t, faults, "reviews", "none")
	whole(t, gateway, "phone", "p-1042")
}

func TestFaultToBeginWith(t *testing.T) {
	t.Parallel()
	_, gateway, _ := demo(t, "--fault", "inventory=status=503", "--fault", "orders=garbage")
	eventually(t, "a page without stock and orders", func() bool {
		a := page(t, gateway, "tablet", "p-1042")
		parts := a.header.Get("Facet-Parts")
		return a.status == http.StatusOK && strings.Contains(parts, "inventory=missing;reason=error") &&
			strings.Contains(parts, "orders=missing;reason=invalid")
	})
}

func TestDemoWithoutItsCatalog(t *testing.T) {
	t.Parallel()
	_, gateway, faults := demo(t)
	before := whole(t, gateway, "tv", "p-1042")
	breakService(t, faults, "catalog", "down")

	eventually(t, "the page that was seen before, whole but for the catalog", func() bool {
		a := page(t, gateway, "tv", "p-1042")
		parts := a.header.Get("Facet-Parts")
		return a.status == http.StatusOK && strings.HasPrefix(parts, "catalog=stale;age=") && a.body == before.body
	})
	var unseen answer
	eventually(t, "a 503 for a product never seen", func() bool {
		unseen = page(t, gateway, "tv", "p-1001")
		return unseen.status == http.StatusServiceUnavailable
	})
	if got := unseen.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("the 503 is %s, want a problem", got)
	}
	if unseen.header.Get("Retry-After") == "" {
		t.Error("the 503 has no Retry-After")
	}
	if code := decode[map[string]any](t, unseen.body)["code"]; code != "unavailable" {
		t.Errorf("code %q, want unavailable", code)
	}
}

// TestStopFinishesRequests stops the demonstration while a page waits for a
// service that takes its time.
func TestStopFinishesRequests(t *testing.T) {
	t.Parallel()
	p, gateway, faults := demo(t)
	whole(t, gateway, "tablet", "p-1042")
	breakService(t, faults, "inventory", "latency=250ms")
	pages := make(chan answer, 1)
	ask := func() {
		a, err := send(t, http.MethodGet, gateway+"/productdetails?productid=p-1042", "", "X-Device-Type", "tablet")
		if err != nil {
			t.Error(err)
		}
		pages <- a
	}
	go ask()
	eventually(t, "a call is waiting", func() bool {
		now, _ := inFlight(t, faults, "inventory")
		select {
		case <-pages: // it was over before anybody looked
			go ask()
			return false
		default:
			return now > 0
		}
	})
	p.signal(syscall.SIGTERM)
	if a := <-pages; a.status != http.StatusOK {
		t.Errorf("the page in progress: %d %s, want 200", a.status, a.body)
	}
	if status := p.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}
