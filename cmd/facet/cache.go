package main

import (
	"context"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/store"
	"github.com/facet-gateway/facet/core/fault"
)

// share opens the cache that replicas share, if the configuration has one, and has
// every command use it.
func (g *gateway) share() error {
	shared, err := store.Open(g.config.Cache, g.log)
	if err != nil {
		return refused{g.config.Locate(err, "cache")}
	}
	if shared == nil {
		return nil
	}
	g.shared = shared
	for _, c := range g.controls {
		if err := c.Share(shared); err != nil {
			return failed(err) // a defect of the build
		}
	}
	shared.Subscribe(func(i cache.Invalidation) { g.forget(i) })
	return nil
}

// forget has what an invalidation names forgotten in this process.
func (g *gateway) forget(i cache.Invalidation) (answers int) {
	for _, c := range g.controls {
		answers += c.Invalidated(i)
	}
	return answers
}

// invalidation is what an operator has forgotten: the answer to one query of a
// command, or every answer with a tag.
type invalidation struct {
	Command string `json:"command,omitempty"`
	Key     string `json:"key,omitempty"`
	Tag     string `json:"tag,omitempty"`
}

// forgotten is what came of it.
type forgotten struct {
	Here   int  `json:"here"`   // answers that this process remembered
	Store  int  `json:"store"`  // answers that the shared cache had
	Shared bool `json:"shared"` // whether other replicas forget it, too
}

// invalidate forgets answers here and in every replica: also what a replica alone
// remembers, or is just being told, when neither this process nor the shared cache
// has anything, which is what the error says.
func (g *gateway) invalidate(ctx context.Context, asked invalidation) (forgotten, error) {
	i := cache.Invalidation{Command: asked.Command, Key: asked.Key, Tag: asked.Tag}
	if err := i.Validate(); err != nil {
		return forgotten{}, err
	}
	if i.Command != "" && !g.knows(i.Command) {
		return forgotten{}, &fault.Error{Code: fault.NotFound, Field: "command", Detail: "there is no such command; /commands lists them"}
	}
	if i.Tag != "" && g.shared != nil && !g.shared.Agrees() {
		return forgotten{}, cache.ErrNoTags
	}
	came := forgotten{Here: g.forget(i)}
	if g.shared != nil {
		var err error
		if came.Store, err = g.shared.Invalidate(ctx, i); err != nil {
			return forgotten{}, err
		}
		came.Shared = g.shared.Agrees()
	}
	if came.Here+came.Store == 0 {
		return forgotten{}, fault.New(fault.NotFound, "no such answer is remembered")
	}
	return came, nil
}

func (g *gateway) knows(command string) bool {
	for _, c := range g.controls {
		if c.Name() == command {
			return true
		}
	}
	return false
}
