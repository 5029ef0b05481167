package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// catalog is an instance of the catalog service, that stands before the simulated one.
type catalog struct {
	server   http.Server
	listener net.Listener
	later    atomic.Int64 // than the simulated one, in nanoseconds
	broken   atomic.Bool  // it fails everything
	asked    atomic.Int64
}

// passing is how instances reach the simulated service: over connections that they share.
func passing(service string) (*httputil.ReverseProxy, error) {
	to, err := url.Parse(service)
	if err != nil {
		return nil, fmt.Errorf("catalogs: %w", err)
	}
	const kept = 256
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: kept, IdleConnTimeout: time.Minute}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return proxy, nil
}

func newCatalog(ctx context.Context, to http.Handler) (*catalog, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("catalogs: %w", err)
	}
	c := &catalog{listener: listener}
	c.server.ReadHeaderTimeout = time.Minute
	c.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		if c.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if later := time.Duration(c.later.Load()); later > 0 && sleep(r.Context(), later) != nil {
			return
		}
		to.ServeHTTP(w, r)
	})
	go func() { _ = c.server.Serve(listener) }() // until it is closed
	return c, nil
}

func (c *catalog) address() string { return c.listener.Addr().String() }

func (c *catalog) close() { _ = c.server.Close() } // nothing is left to be answered

// leave ends the instance as one does that is taken out: what it has begun is answered.
func (c *catalog) leave(ctx context.Context) {
	const longest = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := c.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		c.close()
	}
}

// newCatalogs returns some instances, and what ends those that have not left.
func newCatalogs(ctx context.Context, s *shop, count int) (all []*catalog, stop func(), err error) {
	stop = func() {
		for _, c := range all {
			c.close()
		}
	}
	to, err := passing(s.services["catalog"])
	if err != nil {
		return nil, stop, err
	}
	for range count {
		c, err := newCatalog(ctx, to)
		if err != nil {
			return all, stop, err
		}
		all = append(all, c)
	}
	return all, stop, nil
}

// listed is the section of a configuration that names them.
func listed(all []*catalog) string {
	var urls []string
	for _, c := range all {
		urls = append(urls, fmt.Sprintf("%q", "http://"+c.address()))
	}
	return "instances: [" + strings.Join(urls, ", ") + "]"
}

// fleet is the instances that a registry knows, of which some leave and others join.
type fleet struct {
	shop     *shop
	registry *registry
	known    []*catalog
	left     int
	leaving  sync.WaitGroup
}

func newFleet(ctx context.Context, s *shop, r *registry, count int) (*fleet, error) {
	all, stop, err := newCatalogs(ctx, s, count)
	if err != nil {
		stop()
		return nil, err
	}
	f := &fleet{shop: s, registry: r, known: all}
	f.tell()
	return f, nil
}

func (f *fleet) tell() {
	var addresses []string
	for _, c := range f.known {
		addresses = append(addresses, c.address())
	}
	f.registry.tell(addresses)
}

// turn has some leave and as many join, each second until ctx ends. Who leaves goes on for
// as long as an answer of the registry holds, and a second.
func (f *fleet) turn(ctx context.Context, some int) error {
	for sleep(ctx, time.Second) == nil {
		fresh, stop, err := newCatalogs(context.WithoutCancel(ctx), f.shop, some)
		if err != nil {
			stop()
			return err
		}
		gone := f.known[:some]
		f.known = append(slices.Clone(f.known[some:]), fresh...)
		f.tell()
		f.left += len(gone)
		f.leaving.Go(func() {
			_ = sleep(ctx, ttl+time.Second) // all ends sooner at the end
			for _, c := range gone {
				c.leave(context.WithoutCancel(ctx))
			}
		})
	}
	return nil
}

func (f *fleet) close() {
	f.leaving.Wait()
	for _, c := range f.known {
		c.close()
	}
}
