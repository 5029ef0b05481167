package services

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

// Take returns f of the first n elements of a list, as a list of its own that
// is never nil: an answer is shared, so a page shows what it makes of it.
func Take[T, U any](n int, list []T, f func(T) U) []U {
	n = max(min(n, len(list)), 0)
	taken := make([]U, n)
	for i := range taken {
		taken[i] = f(list[i])
	}
	return taken
}

// Keep returns the elements of a list that a page has a use for, as a list of its
// own that is never nil.
func Keep[T any](list []T, useful func(T) bool) []T {
	kept := make([]T, 0, len(list))
	for _, one := range list {
		if useful(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// getAll asks a service for the things of a list of ids; it asks nothing if no
// id is one.
func getAll[T any](ctx context.Context, s *service, path, parameter string, ids []string, room T) (T, error) {
	list := joined(ids)
	if list == "" {
		return room, nil
	}
	if s.client == nil {
		return room, fault.New(fault.Internal, s.name+" is not connected")
	}
	return http.GetList(ctx, s.client, http.Path(path).Query(parameter, list).String(), room)
}

// askable returns the identifiers of a list that can be asked for.
func askable(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || strings.Contains(id, ",") })
}

// joined returns the value of a parameter that lists identifiers. One with a
// comma in it would ask for two things, so it is left out: no service knows it.
func joined(ids []string) string {
	var list strings.Builder
	for _, id := range ids {
		if id == "" || strings.Contains(id, ",") {
			continue
		}
		if list.Len() > 0 {
			list.WriteByte(',')
		}
		list.WriteString(id)
	}
	return list.String()
}

// byID returns the answers of a batch by what identifies each. What is unsound is
// left out, as if it was not known; a batch of nothing else is no answer.
func byID[V any](answers []V, id func(*V) string, sound func(*V) bool) (map[string]V, error) {
	found := make(map[string]V, len(answers))
	for i := range answers {
		if key := id(&answers[i]); key != "" && sound(&answers[i]) {
			found[key] = answers[i]
		}
	}
	if len(found) == 0 && len(answers) > 0 {
		return nil, invalid("no element of the batch says what it is of and is sound")
	}
	return found, nil
}

// atLeastOne returns a limit that the services accept: a device that shows none
// of a list shows what else the answer holds.
func atLeastOne(limit int) int { return max(limit, 1) }

func decimal(n int) string { return strconv.Itoa(n) }
