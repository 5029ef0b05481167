package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/facet-gateway/facet/bench/process"
)

// calm is a service that is well: it takes 16 ms or so, so that
// 20 times as much is more than a command has.
const calm = "latency=16ms,spread=4ms"

// shop is the simulated services, and their control.
type shop struct {
	process  *process.Process
	services map[string]string // name → URL
	control  string
}

func (l *lab) openShop(ctx context.Context, flags ...string) (*shop, error) {
	l.started++
	args := append([]string{"simulate", "--listen", "127.0.0.1:0"}, flags...)
	p, err := process.Start(ctx, l.dir, fmt.Sprintf("simulator-%d", l.started), gogc, l.program(), args...)
	if err != nil {
		return nil, err
	}
	s := &shop{process: p, services: map[string]string{}}
	if err := s.learn(ctx); err != nil {
		p.Stop()
		return nil, err
	}
	return s, nil
}

func (s *shop) learn(ctx context.Context) (err error) {
	for _, name := range allServices() {
		if s.services[name], err = s.process.Announced(ctx, "service "+name); err != nil {
			return err
		}
	}
	s.control, err = s.process.Announced(ctx, "control")
	return err
}

func (s *shop) hurt(ctx context.Context, service, fault string) error {
	_, err := ask(ctx, http.MethodPut, s.control+"/faults/"+service, fault)
	return err
}

// healFully makes every service answer at once.
func (s *shop) healFully(ctx context.Context) error {
	_, err := ask(ctx, http.MethodDelete, s.control+"/faults", "")
	return err
}

// heal makes every service calm.
func (s *shop) heal(ctx context.Context) error {
	for _, name := range allServices() {
		if err := s.hurt(ctx, name, calm); err != nil {
			return err
		}
	}
	return nil
}

// counts are what the simulator tells of one service.
type counts struct {
	Requests    int64 `json:"requests"`
	MaxInFlight int64 `json:"max_in_flight"`
}

func (s *shop) counts(ctx context.Context) (all map[string]counts, err error) {
	text, err := ask(ctx, http.MethodGet, s.control+"/stats", "")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("stats: %w", err)
	}
	return all, nil
}

func (s *shop) resetCounts(ctx context.Context) error {
	_, err := ask(ctx, http.MethodDelete, s.control+"/stats", "")
	return err
}
