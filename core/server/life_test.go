package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/server"
)

func TestDrain(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Budgets["extra"] = 300 * time.Millisecond
		o.Limits.DrainDelay = 50 * time.Millisecond
		o.Limits.ShutdownTimeout = 5 * time.Second
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, ln) }()
	waitUntil(t, f.Ready)

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answered := make(chan string, 1)
	go func() {
		r, err := client.Get("http://" + ln.Addr().String() + "/extra?id=hang") //nolint:noctx // it ends with its budget
		if err != nil {
			answered <- err.Error()
			return
		}
		defer r.Body.Close() //nolint:errcheck // read to its end
		b, _ := io.ReadAll(r.Body)
		answered <- string(b)
	}()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	stop()
	waitUntil(t, func() bool { return !f.Ready() })
	if got := <-answered; got != `{"title":""}` {
		t.Errorf("the request in progress: %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("the stop was not clean: %v", err)
	}
	if _, err := client.Get("http://" + ln.Addr().String() + "/extra?id=a"); err == nil { //nolint:bodyclose,noctx // it fails
		t.Error("the port still answers")
	}
}

func TestDrainGivesUp(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Budgets["extra"] = time.Minute
		o.Limits.ShutdownTimeout = 50 * time.Millisecond
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		r, err := client.Get("http://" + ln.Addr().String() + "/extra?id=hang") //nolint:noctx // the server ends it
		if err == nil {
			_ = r.Body.Close()
		}
	}()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	stop()
	if err := <-served; err == nil {
		t.Error("a stop that cut a request short is called clean")
	}
	<-asked
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 0 })
}
