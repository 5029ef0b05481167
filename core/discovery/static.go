package discovery

import (
	"context"
	"fmt"
	"slices"

	"github.com/facet-gateway/facet/core/fault"
)

// static is a list that never changes.
type static []Instance

// Static returns a resolver that tells a list, in its order, once. The list must have
// 1 to MaxInstances instances, none twice; an error names the one at fault.
func Static(list []Instance) (Resolver, error) {
	if len(list) == 0 || len(list) > MaxInstances {
		return nil, fault.InvalidField("instances", fmt.Sprintf("there are %d; allowed: 1 to %d", len(list), MaxInstances))
	}
	for n, i := range list {
		name := fmt.Sprintf("instances[%d]", n)
		if field, err := i.validate(); err != nil {
			return nil, fault.InvalidField(name+"."+field, err.Error())
		}
		if slices.ContainsFunc(list[:n], func(o Instance) bool { return compare(o, i) == 0 }) {
			return nil, fault.InvalidField(name, fmt.Sprintf("%s%s is there twice", i.Address, i.Path))
		}
	}
	return static(slices.Clone(list)), nil
}

func (static) String() string { return "static" }

// Watch tells the list.
func (s static) Watch(ctx context.Context, told func([]Instance), _ func(error)) {
	told(slices.Clone(s))
	<-ctx.Done()
}
