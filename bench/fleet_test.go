package main

import (
	"io"
	"net/http"
	"os"
	"testing"
)

// TestTwinServesTheGatewaysPage starts the real programs: a twin that says less, or
// a gateway that leaves a part out, would make the comparison mean nothing.
func TestTwinServesTheGatewaysPage(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	o, err := parseOptions([]string{"-products", "20"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	f, err := launch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if err := f.checkPages(t.Context()); err != nil {
		t.Error(err)
	}
	if err := checkCommands(t.Context(), f.gateway); err != nil {
		t.Error(err)
	}
	f.close()
	if _, err := os.Stat(f.dir); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", f.dir, err)
	}
}
