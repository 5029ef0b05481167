package adaptertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// stale has each required service refuse, once the page has been seen.
func (s *stage) stale(t reporter) error {
	if err := s.remember(command.Cache{Stale: memory}); err != nil {
		return err
	}
	whole, err := s.healthy()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range s.spec.Required {
		if whole.asked[name] > 0 { // or lost tells that it is not
			errs = append(errs, s.staleWithout(name, whole))
		}
	}
	t.Logf("served stale without %s", strings.Join(s.spec.Required, ", "))
	return errors.Join(errs...)
}

func (s *stage) staleWithout(name string, whole outcome) error {
	if err := s.lose(name); err != nil {
		return err
	}
	o := s.show(s.request())
	switch {
	case whole.forbids(name):
		if o.err == nil {
			return fmt.Errorf("without %s, whose answers nobody may remember, there is a page", name)
		}
	case o.err != nil:
		return fmt.Errorf("seen before, without %s: %w", name, o.err)
	case o.body != whole.body:
		return fmt.Errorf("seen before, without %s, it is another page: %s", name, diff(whole.body, o.body))
	case !slices.ContainsFunc(o.parts, func(p report.Part) bool { return p.Mark.Rung == report.Stale }):
		return fmt.Errorf("seen before, without %s, Facet-Parts tells of nothing stale: %q", name, o.told)
	}
	return nil
}

// forbids reports whether a service forbids to remember its answers.
func (o *outcome) forbids(service string) bool {
	return slices.ContainsFunc(o.calls, func(c *report.Call) bool {
		return strings.HasPrefix(c.Command, service+".") && c.Caching.NoStore
	})
}
