package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
	"github.com/facet-gateway/facet/bench/process"
)

// stage is one gateway, for one row.
type stage struct {
	lab            *lab
	shop           *shop
	process        *process.Process
	policy         policy
	gateway, admin string // URLs
	calm           state  // of the process, before anything was hurt
	home           bool   // home pages are asked for, too
	panicked       int    // parts of pages that a panic left out, as the pages told
}

// open learns where the gateway listens, takes down what its state is when it has
// made its first pages, and has it see what the pages need.
func (s *stage) open(ctx context.Context) (err error) {
	if s.gateway, err = s.process.Announced(ctx, "gateway"); err != nil {
		return err
	}
	if s.admin, err = s.process.Announced(ctx, "admin"); err != nil {
		return err
	}
	if err := s.recover(ctx); err != nil {
		return err
	}
	if s.calm, err = s.settled(ctx, state{}); err != nil {
		return err
	}
	_, err = s.load(ctx, time.Second, s.pages(known, details)) // each known product once: a copy of it may stand in from now on
	return err
}

func (s *stage) close() { s.process.Stop() }

// known products have been asked for before; as many further ones have not.
const known = 60

func details(n int) string {
	return fmt.Sprintf("/productdetails?productid=p-%d&postcode=1011AB", 1001+n%known)
}

// few products are asked for often: several times in the life of an answer.
const few = 20

func fewDetails(n int) string { return details(n % few) }

// the other replica asks for other ones at the same moment.
func fewDetailsLater(n int) string { return fewDetails(n + few/2) }

// a crowd asks for many.
func manyDetails(n int) string { return fmt.Sprintf("/productdetails?productid=p-%d", 1001+n%300) }

// half of the products that it asks for were never seen.
func detailsOfAll(n int) string {
	return fmt.Sprintf("/productdetails?productid=p-%d&postcode=1011AB", 1001+n%(2*known))
}

func (s *stage) pages(perSecond float64, path func(n int) string) openloop.Kind {
	return openloop.Kind{PerSecond: perSecond, Sound: sound, Request: func(n int) (*http.Request, error) {
		return s.request(context.Background(), path(n)) // the client has a time limit
	}}
}

// A turn is a page on each device; cycle turns have every page.
const cycle, devices = 100, 3

// rotating asks for products on every device, for a wishlist on each in some turns and,
// if it is wanted, for a home page in one of a cycle: that is a hundred calls and more.
func (s *stage) rotating(perSecond float64, home bool) openloop.Kind {
	const wishlist = 20
	return openloop.Kind{PerSecond: perSecond, Sound: sound, Request: func(n int) (*http.Request, error) {
		path := details(n)
		switch turn := n / devices; {
		case home && turn%cycle == 1:
			path = "/home"
		case turn%wishlist == 0:
			path = "/wishlist"
		}
		r, err := s.request(context.Background(), path) // the client has a time limit
		if err == nil {
			r.Header["X-Device-Type"] = []string{[devices]string{"phone", "tv", "tablet"}[n%devices]}
		}
		return r, err
	}}
}

func (s *stage) request(ctx context.Context, path string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gateway+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	r.Header = http.Header{"X-Device-Type": {"phone"}, "X-User-Id": {"u-7"}}
	return r, nil
}

// sound holds for a page in valid JSON, and for a typed problem.
func sound(header http.Header, status int, body []byte) bool {
	want := "application/problem+json"
	if status == http.StatusOK {
		want = "application/json"
	}
	return header.Get("Content-Type") == want && json.Valid(body)
}

// undegraded holds for a page whose every part is live, or as fresh as it may be.
func undegraded(a openloop.Answer) bool {
	return openloop.Served(a) && !strings.Contains(a.Parts, "reason=")
}

// whole reports whether a page comes so.
func (s *stage) whole(ctx context.Context, path string) (bool, error) {
	r, err := s.request(ctx, path)
	if err != nil {
		return false, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false, fmt.Errorf("page: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // nobody reads it
	return undegraded(openloop.Answer{Status: answer.StatusCode, Parts: answer.Header.Get("Facet-Parts")}), nil
}

// recover heals every service, and asks for pages until they are whole and every
// circuit is closed.
func (s *stage) recover(ctx context.Context) error {
	const longest, inARow = 30 * time.Second, 5
	if err := s.shop.heal(ctx); err != nil {
		return err
	}
	began := time.Now()
	for well := 0; well < inARow; {
		good, err := s.well(ctx)
		if err != nil {
			return err
		}
		if well++; !good {
			well = 0
		}
		if time.Since(began) > longest {
			return fmt.Errorf("the gateway is not well %v after all services are", longest)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) well(ctx context.Context) (bool, error) {
	paths := []string{details(0), "/wishlist"}
	if s.home { // which alone closes the circuits of the commands that it alone needs
		paths = append(paths, "/home")
	}
	for _, path := range paths {
		if good, err := s.whole(ctx, path); err != nil || !good {
			return false, err
		}
	}
	all, err := s.commands(ctx)
	for _, c := range all {
		if c.Circuit != "closed" {
			return false, err
		}
	}
	return true, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
