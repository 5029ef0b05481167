package simulator_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

func TestDownBreaksConnections(t *testing.T) {
	s, c, url := hurt(t, "none")
	get(t, c, url) // leaves an open connection
	if err := s.SetFault("catalog", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r, err := send(t.Context(), c, http.MethodGet, url, nil); err == nil {
			t.Fatalf("got %d, want a broken connection", r.status)
		}
	}
	if r := get(t, c, s.URL("cart")+"/carts/u-7"); r.status != http.StatusOK {
		t.Errorf("another service: got %d", r.status)
	}
	heal(t, s)
	if r := get(t, c, url); r.status != http.StatusOK {
		t.Errorf("after healing: got %d", r.status)
	}
}

func TestDownBreaksIdleConnections(t *testing.T) {
	s, _, _ := hurt(t, "none")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL("catalog"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	if err := s.SetFault("catalog", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = conn.Read(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestDownEndsWhatHangs(t *testing.T) {
	s, c, url := hurt(t, "hang")
	done := ask(t.Context(), c, url)
	eventually(t, patience, "the request hangs", inFlight(s, 1))
	if err := s.SetFault("catalog", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("got an answer, want a broken connection")
	}
	eventually(t, patience, "nothing in flight", inFlight(s, 0))
	if got := s.Stats("catalog").Aborted; got != 0 {
		t.Errorf("%d are counted as aborted by the client", got)
	}
}
