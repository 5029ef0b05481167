package main_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestPlaygroundIsOnThePrivatePortOfTheDemoOnly: not on the public port, and not
// where a gateway serves.
func TestPlaygroundIsOnThePrivatePortOfTheDemoOnly(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	admin := p.announced("admin")
	if got := p.announced("playground"); got != admin+"/playground" {
		t.Errorf("the playground is said to be at %s, the private port is %s", got, admin)
	}
	if a := get(t, admin+"/playground"); a.status != http.StatusOK || !strings.Contains(a.body, "<title>Facet playground</title>") {
		t.Errorf("the page: %d %s", a.status, a.body)
	}
	if paths := decode[struct{ Paths []string }](t, get(t, admin+"/").body).Paths; !slices.Contains(paths, "/playground") {
		t.Errorf("the private port lists %v", paths)
	}
	for _, path := range []string{"/playground", "/playground/choices", "/playground/try", "/playground/page/app.js"} {
		if a := get(t, gateway+path); a.status != http.StatusNotFound {
			t.Errorf("the public port answers %s with %d", path, a.status)
		}
	}
	if a := get(t, open(t, nil).admin+"/playground"); a.status != http.StatusNotFound {
		t.Errorf("facet serve answers /playground with %d", a.status)
	}
}

// TestPlaygroundTriesAnyVersion: the configuration chose phone/v1.
func TestPlaygroundTriesAnyVersion(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	whole(t, gateway, "phone", "p-1042")
	a := try(t, p, `{"path":"/productdetails","query":"productid=p-1042","device":"phone","version":"phone/v2","user":"u-7"}`)
	told := decode[struct {
		Status  int
		Version string
		Calls   []struct {
			Command string
			Rung    string
		}
		Parts []struct{ Name string }
	}](t, a.body)
	if told.Status != http.StatusOK || told.Version != "phone/v2" || len(told.Calls) != 7 || len(told.Parts) != 7 {
		t.Errorf("%+v, want a page of phone/v2 with seven calls for seven parts", told)
	}
	if !strings.Contains(a.body, "Arden 2-Person Trail Tent") {
		t.Errorf("another page: %s", a.body)
	}
}

// TestPlaygroundBreaksServices: a fault that it sets is one of the simulator, and
// a bad one is named.
func TestPlaygroundBreaksServices(t *testing.T) {
	t.Parallel()
	p, _, faults := demo(t)
	set := func(text string) answer {
		a, err := send(t, http.MethodPut, p.announced("playground")+"/faults/reviews", `{"fault":"`+text+`"}`, "Content-Type", "application/json")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := set("latency=200ms,hang"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if now := decode[map[string]string](t, get(t, faults+"/faults").body)["reviews"]; now != "latency=200ms,hang" {
		t.Errorf("reviews has %q", now)
	}
	if a := set("latency=never"); a.status != http.StatusBadRequest || !strings.Contains(a.body, `"field":"latency"`) {
		t.Errorf("a bad fault: %d %s", a.status, a.body)
	}
}

func try(t *testing.T, p *program, question string) answer {
	t.Helper()
	a, err := send(t, http.MethodPost, p.announced("playground")+"/try", question, "Content-Type", "application/json")
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s %v", a.status, a.body, err)
	}
	return a
}
