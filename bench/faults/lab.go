package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

// lab is what all rows share: the program, built, and the services.
type lab struct {
	options options
	dir     string // temporary: program, configurations, output
	shop    *shop
	started int           // gateways, for the names of their files
	late    time.Duration // the most that 99 % of this program's goroutines were, of all runs
	rowLate float64       // ms, of a row: what a bar would need as its room

	shared map[policy]*stage // of the short form
}

// gogc is Go's own default: what is measured runs as somebody would run it.
const gogc = 100

// open builds the program and starts the services. On an error nothing is left running.
func open(ctx context.Context, o options) (*lab, error) {
	dir, err := os.MkdirTemp("", "facet-faults-")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l := &lab{options: o, dir: dir, shared: map[policy]*stage{}}
	if err := l.build(ctx); err != nil {
		l.close()
		return nil, err
	}
	if l.shop, err = l.openShop(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) close() {
	for _, s := range l.shared {
		s.close()
	}
	if l.shop != nil {
		l.shop.process.Stop()
	}
	_ = os.RemoveAll(l.dir) // a temporary folder
}

func (l *lab) program() string { return filepath.Join(l.dir, "facet") }

func (l *lab) build(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	args := []string{"build", "-buildvcs=false", "-o", l.program()}
	if l.options.race {
		args = append(args, "-race")
	}
	c := exec.CommandContext(ctx, "go", append(args, "./cmd/facet")...)
	c.Dir = root
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, output)
	}
	return nil
}

func moduleRoot(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(output))), nil
}

// service is one of the seven that a product page needs.
type service struct {
	name, command string
	bystander     string // a page that does not use the service; "": every page does
}

// seven are in an order in which a short form has one with a bystander and one
// that others depend on first.
func seven() []service {
	const wishlist = "/wishlist"
	return []service{
		{"shipping", "shipping.options", wishlist},
		{"catalog", "catalog.product", ""},
		{"cart", "cart.cart", wishlist},
		{"inventory", "inventory.stock", ""},
		{"orders", "orders.orders", wishlist},
		{"reviews", "reviews.reviews", ""},
		{"recommendations", "recommendations.recommendations", wishlist},
	}
}

// allServices have a block in the gateway's configuration.
func allServices() []string {
	all := []string{"profiles", "auth"}
	for _, s := range seven() {
		all = append(all, s.name)
	}
	slices.Sort(all)
	return all
}

// stage returns a gateway with a policy, and what a row calls when it is done with it.
// Each row has its own, but in the short form those with the same policy share one.
func (l *lab) stage(ctx context.Context, p policy) (*stage, func(), error) {
	if s := l.shared[p]; s != nil {
		return s, func() {}, nil
	}
	s, err := l.start(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if !l.options.short {
		return s, s.close, nil
	}
	l.shared[p] = s
	return s, func() {}, nil
}

// start starts a gateway over the shop, with a policy for each of the seven commands.
func (l *lab) start(ctx context.Context, p policy) (*stage, error) {
	l.started++
	name := fmt.Sprintf("gateway-%d", l.started)
	file := filepath.Join(l.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(configuration(l.shop, p)), 0o600); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	gateway, err := process.Start(ctx, l.dir, name, gogc, l.program(), "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	s := &stage{lab: l, shop: l.shop, process: gateway, policy: p}
	if err := s.open(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
