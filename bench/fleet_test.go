package main

import (
	"io"
	"net/http"
	"os"
	"testing"
)

// TestTwinServesTheGatewaysPages starts the real programs: a twin that says less, or
// a gateway that leaves a part out, would make the comparison mean nothing.
func TestTwinServesTheGatewaysPages(t *testing.T) {
	for page := range workloads() {
		t.Run(page, func(t *testing.T) { testTwinServes(t, page) })
	}
}

func testTwinServes(t *testing.T, page string) {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	o, err := parseOptions([]string{"-products", "20", "-page", page}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	f, err := launch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	before, err := f.account(t.Context(), f.gateway)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.checkPages(t.Context()); err != nil {
		t.Error(err)
	}
	after, err := f.account(t.Context(), f.gateway)
	if err != nil {
		t.Fatal(err)
	}
	// Both programs made every page with one call to each service.
	if calls, want := after.minus(before).calls, 2*len(f.load.Paths)*len(o.workload.services); calls != int64(want) {
		t.Errorf("%d calls, want %d", calls, want)
	}
	if err := checkCommands(t.Context(), f.gateway); err != nil {
		t.Error(err)
	}
	f.close()
	if _, err := os.Stat(f.dir); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", f.dir, err)
	}
}
