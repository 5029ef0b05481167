package services_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// mayLack are the fields that an answer of each call is sound without: what is not there is
// not known, or shown as nothing.
func mayLack() map[string][]string {
	product := []string{
		"brand", "description", "weight_grams", "categories", "attributes", "attributes.colour", "offers", "offers.seller",
		"offers.condition", "images", "images.url", "images.alt", "unknown", "unknown.to",
	}
	return map[string][]string{
		"product":    product,
		"products":   below("products", product...),
		"reviews":    below("reviews", "id", "author", "title", "body", "helpful"),
		"stock":      {"restock_at"},
		"stocks":     {"stock.restock_at"},
		"options":    {"options.carrier"},
		"related":    {"bought_together.image", "also_viewed.image"},
		"rows":       {"rows.id"},
		"profile":    {"name", "locale", "postcode"},
		"introspect": {"active", "scope", "exp"},
	}
}

func below(field string, names ...string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = field + "." + name
	}
	return paths
}

// TestWhatTheWireLeavesOut is missed, not taken for a zero.
func TestWhatTheWireLeavesOut(t *testing.T) { eachBinding(t, missWhatIsLeftOut) }

// missWhatIsLeftOut leaves out each field of each answer, one at a time.
func missWhatIsLeftOut(t *testing.T, b *backend, s *services.Services) {
	patient(t, s, 10*time.Second)
	optional := mayLack()
	for i, c := range calls(s) {
		for field, left := range withoutEach(t, c.answer) {
			lacks := slices.Contains(optional[c.name], field)
			b.say(200, left)
			if _, r, err := calls(s)[i].ask(); refused(r, err) == lacks {
				t.Errorf("%s without %s: %+v, %v; it may lack it: %v", c.name, field, r.Parts[0].Mark, err, lacks)
			}
		}
	}
}

// refused reports whether an answer was, whatever stands in for it.
func refused(r *report.Report, err error) bool {
	if err != nil {
		return fault.CodeOf(err) == fault.BadAnswer && fault.ReasonOf(err) == fault.ReasonInvalid
	}
	return rung(r) != report.Live && r.Parts[0].Mark.Reason == fault.ReasonInvalid
}

// withoutEach returns an answer without each of its fields, by the field's path. Of lists it
// is the first element that lacks one.
func withoutEach(t *testing.T, answer string) map[string]string {
	t.Helper()
	var whole any
	if err := json.Unmarshal([]byte(answer), &whole); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	leaveOut(whole, "", func(field string) {
		left, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(field, ".")] = string(left)
	})
	return all
}

// leaveOut calls f while each field of a value is left out of it, with its path.
func leaveOut(value any, path string, f func(field string)) {
	switch value := value.(type) {
	case []any:
		if len(value) > 0 {
			leaveOut(value[0], path, f)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			field := value[name]
			delete(value, name)
			f(path + "." + name)
			value[name] = field
			leaveOut(field, path+"."+name, f)
		}
	}
}
