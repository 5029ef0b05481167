package simulator_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/simulator"
)

func TestAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := l.Addr().String()
	s, err := simulator.New(simulator.Options{Addresses: map[string]string{"cart": taken}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cart") {
		t.Errorf("got %v, want an error that names the service", err)
	}
	if s.ControlURL() != "" {
		t.Error("it has an address without listening")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.URL("cart"); got != "http://"+taken {
		t.Errorf("got %s, want the address asked for", got)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it starts twice")
	}
}

func TestCloseIsFinal(t *testing.T) {
	s, c := start(t, simulator.Options{})
	url := s.URL("cart") + "/carts/u-7"
	get(t, c, url)
	s.Close()
	s.Close()
	if _, err := send(t.Context(), c, http.MethodGet, url, nil); err == nil {
		t.Error("it answers after Close")
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it starts after Close")
	}
}

func TestServices(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	want := []string{"auth", "cart", "catalog", "inventory", "orders", "profiles", "recommendations", "reviews", "shipping"}
	if got := s.Services(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := s.URL("warehouse"); got != "" {
		t.Errorf("an unknown service listens at %s", got)
	}
	if got := s.Stats("warehouse"); got != (simulator.Stats{}) {
		t.Errorf("an unknown service has %+v", got)
	}
}

func TestObserveSeesRequests(t *testing.T) {
	seen := make(chan string, 1)
	s, c := start(t, simulator.Options{Observe: func(service string, r *http.Request) {
		seen <- service + " " + r.Header.Get("X-Request-Id")
	}})
	if _, err := send(t.Context(), c, http.MethodGet, s.URL("cart")+"/carts/u-7", nil, "X-Request-Id", "abc"); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "cart abc" {
		t.Errorf("got %q", got)
	}
}

func Example() {
	s, err := simulator.New(simulator.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	if err := s.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	var client http.Client
	defer client.CloseIdleConnections()
	ask := func() {
		r, err := send(context.Background(), &client, http.MethodGet, s.URL("orders")+"/orders?user=u-7&product=p-1042", nil)
		fmt.Println(r.status, string(r.body[:min(16, len(r.body))]), err)
	}
	ask()
	f, err := simulator.ParseFault("status=503,latency=1ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.SetFault("orders", f), s.Faults()["orders"])
	ask()
	// Output:
	// 200 {"orders":[{"id" <nil>
	// <nil> latency=1ms,status=503
	// 503 {"error":"inject <nil>
}
