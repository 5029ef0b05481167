package command

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/report"
)

// Control is what operates a command, whatever its types: its policy, its
// circuit and its counters. Safe for concurrent use.
type Control struct {
	name      string
	policy    atomic.Pointer[Policy]
	bulkhead  bulkhead
	shadows   shadows
	circuit   *circuit
	outcomes  [outcomes]atomic.Uint64
	would     [outcomes]atomic.Uint64 // have been, if the limits were kept
	rungs     [rungs]atomic.Uint64
	ledger    ledger
	budget    atomic.Pointer[Budget] // nil: no attempt is repeated
	retries   atomic.Uint64
	hedges    atomic.Uint64
	hedgesWon atomic.Uint64

	mu     sync.Mutex // one Configure at a time
	memory memory

	background *background
	coalesced  atomic.Uint64
	renewed    atomic.Uint64
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

func newControl(name string, m memory) *Control {
	if !validName.MatchString(name) {
		panic(fmt.Sprintf("command: the name %q is not of the form service.command", name))
	}
	c := &Control{name: name, memory: m, circuit: newCircuit(name), background: newBackground()}
	policy := DefaultPolicy()
	c.policy.Store(&policy)
	c.ledger.since = time.Now()
	return c
}

// Name returns "service.command".
func (c *Control) Name() string { return c.name }

// Policy returns the policy in force.
func (c *Control) Policy() Policy { return *c.policy.Load() }

// Configure puts a policy in force, from the next call on. It returns a
// [*RangeError] and changes nothing when a field is out of its range.
func (c *Control) Configure(p Policy) error {
	p.Traits = c.policy.Load().Traits
	if err := p.Validate(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(p)
	return nil
}

func (c *Control) put(p Policy) {
	c.memory.resize(c.policy.Load().Cache, p.Cache)
	c.circuit.configure(p.Circuit)
	c.policy.Store(&p)
}

// declare changes the policy that a command has where the configuration says
// nothing. A fault is a defect of the declaration, found at the first start.
func (c *Control) declare(change func(*Policy)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.Policy()
	change(&p)
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("%s: %w", c.name, err))
	}
	c.put(p)
}

// Under has the retries and hedges of a command come out of a budget, which it
// shares with the other commands of its service. Without one it makes none.
func (c *Control) Under(b *Budget) { c.budget.Store(b) }

// Share has what the command remembers kept in a cache that replicas share, too;
// nil: in none. It is an error if its answers cannot be kept there.
func (c *Control) Share(shared *cache.Shared) error { return c.memory.share(shared) }

// Invalidated has what an invalidation names forgotten in this process, and returns
// how many answers there were. Of all, nothing is forgotten, but nothing counts as
// fresh any more.
func (c *Control) Invalidated(i cache.Invalidation) int {
	switch {
	case i.All:
		c.memory.outdate()
	case i.Tag != "":
		return c.memory.forgetTag(i.Tag)
	case i.Command == c.name:
		return c.memory.forget(i.Key)
	}
	return 0
}

// Close ends the calls that belong to no request, and waits for them. The command
// makes no such call any more: one that requests would share fails. It may be
// called more than once.
func (c *Control) Close() { c.background.close() }

// refused records a run that was not made.
func (c *Control) refused(call *report.Call, outcome report.Outcome, err error) error {
	call.Outcome, call.Err = outcome, err
	c.outcomes[outcome].Add(1)
	c.ledger.enter(call.Began, entry{of: aRefusal, which: uint8(outcome)})
	return err
}

// Stats is what a command has counted since it was made, and its state now.
type Stats struct {
	Name          string            `json:"name"`
	Circuit       string            `json:"circuit"`               // closed | open | forced_open | forced_closed
	ForcedUntil   time.Time         `json:"forced_until,omitzero"` // zero: not forced, or until it is released
	InFlight      int64             `json:"in_flight"`
	MaxConcurrent int               `json:"max_concurrent"`
	Mode          string            `json:"mode"`               // enforce | observe
	Would         map[string]uint64 `json:"would"`              // refusals and ends that limits, while only observed, would have brought
	Outcomes      map[string]uint64 `json:"outcomes"`           // runs by how they ended
	Rungs         map[string]uint64 `json:"rungs"`              // answers by where they stood
	Retries       uint64            `json:"retries"`            // attempts beside the first of a run
	Hedges        uint64            `json:"hedges"`             // second attempts beside a slow first one
	HedgesWon     uint64            `json:"hedges_won"`         // of them, those that answered first
	Coalesced     uint64            `json:"coalesced"`          // queries that waited for a call that was begun for another request
	Renewed       uint64            `json:"renewed"`            // remembered answers that were renewed while they were used
	Opened        uint64            `json:"opened"`             // times the circuit opened
	FaultsInARow  int64             `json:"consecutive"`        // of late; of an open circuit, when it opened
	RefusedEvents uint64            `json:"refused_events"`     // by hystrix-go's channel: its percentage missed them
	Latency       Micros            `json:"latency_us"`         // of the runs of the last 10 s
	Shadowed      map[string]uint64 `json:"shadowed,omitempty"` // runs for shadows, by how they ended; nothing else counts them
}

// Stats returns the counters of the command.
func (c *Control) Stats() Stats {
	_, until := c.Forced()
	s := Stats{
		Name: c.name, Circuit: c.circuit.state(), ForcedUntil: until,
		InFlight: c.bulkhead.inUse.Load(), MaxConcurrent: c.Policy().MaxConcurrent,
		Mode: c.Policy().Mode.String(), Would: map[string]uint64{}, Outcomes: map[string]uint64{}, Rungs: map[string]uint64{},
		Retries: c.retries.Load(), Hedges: c.hedges.Load(), HedgesWon: c.hedgesWon.Load(),
		Coalesced: c.coalesced.Load(), Renewed: c.renewed.Load(),
		Opened: c.circuit.opened.Load(), FaultsInARow: c.circuit.faults.Load(),
		RefusedEvents: c.circuit.events.refused.Load(), Latency: c.latency(),
	}
	for _, o := range report.Outcomes() {
		s.Outcomes[o.String()] = c.outcomes[o].Load()
	}
	for _, o := range []report.Outcome{report.TimedOut, report.Rejected, report.ShortCircuited} {
		s.Would[o.String()] = c.would[o].Load()
	}
	for _, r := range report.Rungs() {
		s.Rungs[r.String()] = c.rungs[r].Load()
	}
	s.Shadowed = c.shadows.read()
	return s
}
