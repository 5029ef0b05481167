package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// command is what the private port tells of one.
type command struct {
	Name          string            `json:"name"`
	Circuit       string            `json:"circuit"`
	InFlight      int64             `json:"in_flight"`
	MaxConcurrent int64             `json:"max_concurrent"`
	Outcomes      map[string]uint64 `json:"outcomes"`
	Rungs         map[string]uint64 `json:"rungs"`
	Retries       uint64            `json:"retries"`
	Opened        uint64            `json:"opened"`
	FaultsInARow  int64             `json:"consecutive"`
}

func (s *stage) commands(ctx context.Context) (all []command, err error) {
	text, err := ask(ctx, http.MethodGet, s.admin+"/commands", "")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("commands: %w", err)
	}
	return all, nil
}

// glance is what one look at a command saw.
type glance struct {
	at      time.Time
	open    bool
	row     int64 // of faults; while open, of those that opened it
	opened  uint64
	retries uint64
}

// record is what was seen of the commands during an episode.
type record struct {
	began   time.Time
	glances map[string][]glance // by command
	above   int                 // looks that found more in flight than the limit
	most    map[string]int64    // in flight, by command
}

// lookEach is how often the gateway is asked. A look costs it a millisecond or so.
const lookEach = 20 * time.Millisecond

// watch looks at the commands until the function that it returns is called, once.
func (s *stage) watch(ctx context.Context) func() (*record, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &record{began: time.Now(), glances: map[string][]glance{}, most: map[string]int64{}}
	ended := make(chan error, 1)
	go func() { ended <- s.look(ctx, r) }()
	return func() (*record, error) {
		cancel()
		return r, <-ended
	}
}

func (s *stage) look(ctx context.Context, r *record) error {
	each := time.NewTicker(lookEach)
	defer each.Stop()
	for {
		all, err := s.commands(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		r.add(all)
		select {
		case <-each.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *record) add(all []command) {
	now := time.Now()
	for i := range all {
		c := &all[i]
		if c.InFlight > c.MaxConcurrent {
			r.above++
		}
		r.most[c.Name] = max(r.most[c.Name], c.InFlight)
		r.glances[c.Name] = append(r.glances[c.Name],
			glance{at: now, open: c.Circuit != "closed", row: c.FaultsInARow, opened: c.Opened, retries: c.Retries})
	}
}

// opened tells when a command's circuit was first seen open, since the start.
func (r *record) opened(command string) (after time.Duration, ever bool) {
	for _, g := range r.glances[command] {
		if g.open {
			return g.at.Sub(r.began), true
		}
	}
	return 0, false
}

// closed tells since when a command's circuit has been seen closed, at the end.
func (r *record) closed(command string) (after time.Duration, isClosed bool) {
	for _, g := range r.glances[command] {
		switch {
		case g.open:
			isClosed = false
		case !isClosed:
			after, isClosed = g.at.Sub(r.began), true
		}
	}
	return after, isClosed
}

// faultsToOpen is how many faults in a row the gateway itself had counted when the
// circuit opened; the most of them, if it opened several times or never.
func (r *record) faultsToOpen(command string) (n int64) {
	for _, g := range r.glances[command] {
		n = max(n, g.row)
	}
	return n
}

// openings is how often a command's circuit opened.
func (r *record) openings(command string) uint64 {
	all := r.glances[command]
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].opened - all[0].opened
}

// mostLate caps the room of a bar: a run of a machine that was later shows what the
// machine does, and is repeated if it missed a bar.
const mostLate = 50 // ms

// wakings is about how many goroutines are woken on the way of a page with a fault.
const wakings = 5

// room is what a bar of milliseconds has beside it: of the slowest page, or of the
// 99th percentile.
func roomForMost(l openloop.Lateness) float64 { return min(mostLate, lateness(l)) }
func roomForP99(l openloop.Lateness) float64  { return min(mostLate, wakings*millis(l.P99)) }

func lateness(l openloop.Lateness) float64 { return millis(l.Most) + wakings*millis(l.P99) }
