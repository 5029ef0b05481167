//go:build !production

package main

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/playground"
	"github.com/facet-gateway/facet/core/stream"
)

// Bounds of the demonstration's traffic.
const (
	trafficUsers   = 1000            // who ask one after the other: u-1 to u-1000
	trafficWaiting = 100             // requests in progress; beyond, one is skipped
	trafficTimeout = 5 * time.Second // of one request
)

// traffic is many users of the demonstration, who ask its public port as clients do.
type traffic struct {
	header string // that names the device
	client *nethttp.Client

	mu     sync.Mutex
	public string // its URL; "": it is not served yet, or not any more
	sent   playground.Sent
	ends   time.Time // when the load does by itself
	stop   func()    // ends the load, and waits for its end; nil: there was none
}

func newTraffic(header string) *traffic {
	transport := &nethttp.Transport{MaxIdleConnsPerHost: trafficWaiting, MaxConnsPerHost: trafficWaiting, DisableCompression: true}
	return &traffic{header: header, client: &nethttp.Client{Transport: transport, Timeout: trafficTimeout}}
}

// aim says where the public port is.
func (t *traffic) aim(public string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.public = public
}

// close ends the load, and lets none begin any more.
func (t *traffic) close() {
	t.aim("")
	t.Stop()
	t.client.CloseIdleConnections()
}

// Send begins a load.
func (t *traffic) Send(l playground.Load) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.public == "":
		return fault.New(fault.Unavailable, "the public port is not served")
	case t.sent.Running:
		return fault.New(fault.Conflict, "traffic is sent already: stop it first")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.sent, t.ends = playground.Sent{Running: true, Load: l}, time.Now().Add(l.For)
	t.stop = func() { cancel(); <-done }
	public := t.public
	go func() {
		defer close(done)
		defer t.ended()
		t.run(ctx, public, l)
	}()
	return nil
}

// Stop ends the load that is sent, also its requests in progress.
func (t *traffic) Stop() {
	t.mu.Lock()
	stop := t.stop
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// Sent tells how the load does.
func (t *traffic) Sent() playground.Sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sent
	if s.Running {
		s.Left = max(0, time.Until(t.ends))
	}
	return s
}

func (t *traffic) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.Running = false
}

// run sends a request at each tick, whether the ones before have been answered or not.
func (t *traffic) run(ctx context.Context, public string, l playground.Load) {
	ticker, end := time.NewTicker(time.Second/time.Duration(l.Rate)), time.NewTimer(l.For)
	defer ticker.Stop()
	defer end.Stop()
	places := make(chan struct{}, trafficWaiting)
	var asking sync.WaitGroup
	defer asking.Wait()
	for user := 1; ; user = user%trafficUsers + 1 {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-ticker.C:
		}
		select {
		case places <- struct{}{}:
			asking.Go(func() {
				defer func() { <-places }()
				t.ask(ctx, public, l, fmt.Sprint("u-", user))
			})
		default:
			t.count(func(s *playground.Sent) { s.Skipped++ })
		}
	}
}

// ask asks as one user, and counts the answer.
func (t *traffic) ask(ctx context.Context, public string, l playground.Load, user string) {
	status, err := t.answer(ctx, public, l, user)
	if err != nil && ctx.Err() != nil {
		return // it was given up
	}
	t.count(func(s *playground.Sent) {
		s.Requests++
		if err != nil || status >= nethttp.StatusInternalServerError {
			s.Failed++
		}
	})
}

func (t *traffic) answer(ctx context.Context, public string, l playground.Load, user string) (status int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodGet, public+l.Target, nethttp.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ask for %s: %w", l.Target, err)
	}
	r.Header.Set(t.header, string(l.Class))
	r.Header.Set("X-User-Id", user)
	response, err := t.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("ask for %s: %w", l.Target, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, fmt.Errorf("read %s: %w", l.Target, err)
	}
	return response.StatusCode, nil
}

func (t *traffic) count(what func(*playground.Sent)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what(&t.sent)
}
