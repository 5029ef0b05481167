package command

import (
	"context"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/report"
)

// Guard is the policy around a call that has no query and whose answer nobody
// remembers: one that is passed through. It has a command's time limit, bulkhead,
// circuit and counters, and none of its other rungs: the call is made once, for one
// request, or not at all. Safe for concurrent use.
type Guard struct{ *Control }

// NewGuard declares one, named "service.command". As of every command, there is one of
// a name in a process, for ever.
func NewGuard(name string) *Guard {
	return &Guard{newControl(name, memory{
		resize:    func(Cache, Cache) {},
		forget:    func(string) int { return 0 },
		forgetTag: func(string) int { return 0 },
		outdate:   func() {},
		share:     func(*cache.Shared) error { return nil },
	})}
}

// Do makes the call on this goroutine, at most once, and returns its error with the
// reason for it; or [ErrFull], [ErrOpen] or [ErrBudget] without having made it. What
// call gets ends with the time limit: it has to return soon after. An error with a code
// of the client's, or with [fault.ErrRefused] in it, counts neither for nor against
// the backend.
func (g *Guard) Do(ctx context.Context, call func(context.Context) error) error {
	record := begin(ctx, g.name)
	err := g.execute(ctx, g.policy.Load(), record, call)
	if record.Mark = (report.Mark{Rung: report.Live}); err != nil {
		record.Mark = missing(err)
		g.substituted(record)
	}
	g.count(record.Mark.Rung, record.Began.Add(record.Took))
	return err
}
