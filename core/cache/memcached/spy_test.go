package memcached_test

import (
	"context"

	"github.com/facet-gateway/facet/core/cache"
)

// spy is a store that only notes what it is asked for.
type spy struct{ key cache.Key }

func (s *spy) Get(_ context.Context, keys []cache.Key, _ int) ([]string, error) {
	s.key = keys[0]
	return make([]string, len(keys)), nil
}

func (s *spy) Write(context.Context, []cache.Write) (int, error) { return 0, nil }

func (s *spy) Close() {}
