package openapi_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"

	diffs "github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/openapi"
)

// sortedRequired is where a problem's required fields are.
var sortedRequired = []string{"components", "schemas", "Problem", "required"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at returns what a document has at a path, as decoded JSON; nil if nothing.
func at(t *testing.T, d *openapi.Document, path ...string) any {
	t.Helper()
	var found any
	must(t, json.Unmarshal(d.JSON(), &found))
	for _, name := range path {
		object, _ := found.(map[string]any)
		found = object[name]
	}
	return found
}

// same compares JSON with what was decoded.
func same(t *testing.T, want string, got any) {
	t.Helper()
	var wanted any
	must(t, json.Unmarshal([]byte(want), &wanted))
	if diff := diffs.Diff(wanted, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func sorted(list any) any {
	all, _ := list.([]any)
	slices.SortFunc(all, func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
	return all
}
