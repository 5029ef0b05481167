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

// every reports whether a list is there, and each of its elements is sound.
func every[T any](list []T, sound func(*T) bool) bool {
	for i := range list {
		if !sound(&list[i]) {
			return false
		}
	}
	return list != nil
}

// inBatch asks for the things of a list of ids, and returns them by what identifies each;
// it asks nothing if no id is one. What asks gets a list with room for them. It has one
// element that is of nothing, which stays there if the answer has no list.
func inBatch[V any](
	ids []string, ask func(ids []string, room []V) ([]V, error), id func(*V) string, sound func(*V) bool,
) (map[string]V, error) {
	ids = askable(ids)
	if len(ids) == 0 {
		return map[string]V{}, nil
	}
	answers, err := ask(ids, make([]V, 1, len(ids)))
	if err != nil {
		return nil, err
	}
	return byID(answers, id, sound)
}

// getAll asks a service for the things of a list of ids.
func getAll[T any](ctx context.Context, s *service, path, parameter string, ids []string, room T) (T, error) {
	if s.client == nil {
		return room, fault.New(fault.Internal, s.name+" is not connected")
	}
	return http.GetList(ctx, s.client, http.Path(path).Query(parameter, strings.Join(ids, ",")).String(), room)
}

// askable returns the identifiers of a list that can be asked for. One with a comma in it
// would ask for two things, so it is left out: no service knows it.
func askable(ids []string) []string {
	none := func(id string) bool { return id == "" || strings.Contains(id, ",") }
	if !slices.ContainsFunc(ids, none) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), none)
}

// byID returns the answers of a batch by what identifies each. What is unsound is
// left out, as if it was not known; a batch of nothing else is no answer, nor is null.
func byID[V any](answers []V, id func(*V) string, sound func(*V) bool) (map[string]V, error) {
	found := make(map[string]V, len(answers))
	for i := range answers {
		if key := id(&answers[i]); key != "" && sound(&answers[i]) {
			found[key] = answers[i]
		}
	}
	if answers == nil || len(found) == 0 && len(answers) > 0 {
		return nil, invalid("the batch has no list, or no element of it says what it is of and is sound")
	}
	return found, nil
}

// atLeastOne returns a limit that the services accept: a device that shows none
// of a list shows what else the answer holds.
func atLeastOne(limit int) int { return max(limit, 1) }

func decimal(n int) string { return strconv.Itoa(n) }
