package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/facet-gateway/facet/bench/process"
	"github.com/facet-gateway/facet/bench/wrk"
)

// allServices have a block in the gateway's configuration.
var allServices = [...]string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations", "profiles", "auth"}

// subject is a program that is measured.
type subject struct {
	name    string
	address string
	admin   string // of a gateway; empty of the twin
	process *process.Process
}

// fleet is everything that a run starts.
type fleet struct {
	options  options
	dir      string // temporary: programs, configuration, output
	started  []*process.Process
	services map[string]string // name → address
	control  string            // of the simulator
	products []string
	gateway  *subject
	twin     *subject
	equal    *subject // the gateway's program and configuration once more
	load     wrk.Generator
}

// launch builds and starts everything. On an error nothing is left running.
func launch(ctx context.Context, o options) (*fleet, error) {
	dir, err := os.MkdirTemp("", "facet-bench-")
	if err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	f := &fleet{options: o, dir: dir, services: make(map[string]string)}
	for _, step := range []func(context.Context) error{f.build, f.simulate, f.serve, f.twins, f.prepare} {
		if err := step(ctx); err != nil {
			f.close()
			return nil, fmt.Errorf("launch: %w", err)
		}
	}
	return f, nil
}

// close ends every process, last started first, and removes the files.
func (f *fleet) close() {
	for _, p := range slices.Backward(f.started) {
		p.Stop()
	}
	_ = os.RemoveAll(f.dir)
}

func (f *fleet) build(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	for name, pkg := range map[string]string{"facet": "./cmd/facet", "twin": "./bench/twin"} {
		c := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(f.dir, name), pkg)
		c.Dir = root
		if output, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, output)
		}
	}
	return nil
}

func (f *fleet) start(ctx context.Context, name, program string, args ...string) (*process.Process, error) {
	p, err := process.Start(ctx, f.dir, name, f.options.gogc, filepath.Join(f.dir, program), args...)
	if err == nil {
		f.started = append(f.started, p)
	}
	return p, err
}

func (f *fleet) simulate(ctx context.Context) error {
	p, err := f.start(ctx, "simulator", "facet", "simulate", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	for _, name := range allServices {
		if f.services[name], err = p.Announced(ctx, "service "+name); err != nil {
			return err
		}
	}
	f.control, err = p.Announced(ctx, "control")
	return err
}

// serve starts the gateway twice from one configuration.
func (f *fleet) serve(ctx context.Context) (err error) {
	config := filepath.Join(f.dir, "facet.yaml")
	if err := os.WriteFile(config, []byte(configuration(f.services)), 0o600); err != nil {
		return err
	}
	if f.gateway, err = f.gatewayProcess(ctx, "gateway", config); err != nil {
		return err
	}
	f.equal, err = f.gatewayProcess(ctx, "gateway again", config)
	return err
}

func (f *fleet) gatewayProcess(ctx context.Context, name, config string) (*subject, error) {
	p, err := f.start(ctx, name, "facet", "serve", "--config", config)
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, process: p}
	if s.address, err = p.Announced(ctx, "gateway"); err != nil {
		return nil, err
	}
	s.admin, err = p.Announced(ctx, "admin")
	return s, err
}

func (f *fleet) twins(ctx context.Context) error {
	args := []string{"-listen", "127.0.0.1:0"}
	for _, name := range allServices {
		args = append(args, "-service", name+"="+f.services[name])
	}
	p, err := f.start(ctx, "twin", "twin", args...)
	if err != nil {
		return err
	}
	f.twin = &subject{name: "twin", process: p}
	f.twin.address, err = p.Announced(ctx, "gateway")
	return err
}

// prepare picks the products and sets the load generator up.
func (f *fleet) prepare(ctx context.Context) (err error) {
	if f.products, err = products(ctx, f.services, f.options.user, f.options.products); err != nil {
		return err
	}
	f.load = wrk.Generator{Dir: f.dir, Connections: f.options.connections,
		Headers: []string{"X-Device-Type: " + f.options.workload.device, "X-User-Id: " + f.options.user},
		Paths:   f.options.workload.paths(f.options, f.products)}
	return nil
}
