package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"
)

// tally passes calls on to a service, and keeps when each key was asked for. One
// stands before the service for each replica.
type tally struct {
	url    string
	server http.Server

	mu    sync.Mutex
	asked map[string][]time.Time // by path
}

func newTally(ctx context.Context, service string) (*tally, error) {
	to, err := url.Parse(service)
	if err != nil {
		return nil, fmt.Errorf("tally: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tally: %w", err)
	}
	t := &tally{url: "http://" + listener.Addr().String(), asked: map[string][]time.Time{}}
	proxy := httputil.NewSingleHostReverseProxy(to)
	t.server.ReadHeaderTimeout = time.Minute
	t.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.note(r.URL.Path)
		proxy.ServeHTTP(w, r)
	})
	go func() { _ = t.server.Serve(listener) }() // until it is closed
	return t, nil
}

func (t *tally) close() { _ = t.server.Close() } // nothing is left to be answered

func (t *tally) note(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked[path] = append(t.asked[path], time.Now())
}

// take returns what was asked for since the last time.
func (t *tally) take() map[string][]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.asked
	t.asked = map[string][]time.Time{}
	return taken
}

// early counts the calls that came while the answer to the one before for the same key
// was still to be used, beside those that are allowed for each key.
func early(asked map[string][]time.Time, lasting time.Duration, allowed int) (n int) {
	for _, times := range asked {
		slices.SortFunc(times, time.Time.Compare)
		soon := 0
		for i := 1; i < len(times); i++ {
			if times[i].Sub(times[i-1]) < lasting {
				soon++
			}
		}
		n += max(0, soon-allowed)
	}
	return n
}

// calls is how many there were of all keys.
func calls(asked map[string][]time.Time) (n int) {
	for _, times := range asked {
		n += len(times)
	}
	return n
}
