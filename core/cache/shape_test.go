package cache_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
)

type tree struct {
	Name string
	Sub  []tree
}

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type product struct {
	ID    string            `json:"id"`
	Price money             `json:"price"`
	Attrs map[string]string `json:"attributes"`
	At    *time.Time        `json:"at"`
	Names []string          `json:"names"`
}

func shape[K, V any](t *testing.T) string {
	t.Helper()
	s, err := cache.ShapeOf[K, V]()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShapesDiffer(t *testing.T) {
	seen := make(map[string]string)
	for name, s := range map[string]string{
		"product":     shape[string, product](t),
		"other key":   shape[query, product](t),
		"key's field": shape[struct{ id2 string }, product](t),
		"key's order": shape[struct {
			limit int
			id    string
		}, product](t), //nolint:gofumpt // on one line
		"string":       shape[string, string](t),
		"int":          shape[string, int](t),
		"int64":        shape[string, int64](t),
		"list":         shape[string, []string](t),
		"array":        shape[string, [2]string](t),
		"longer array": shape[string, [3]string](t),
		"map":          shape[string, map[string]string](t),
		"pointer":      shape[string, *string](t),
		"field":        shape[string, struct{ A string }](t),
		"field's name": shape[string, struct{ B string }](t),
		"field's tag": shape[string, struct {
			A string `json:"a"`
		}](t), //nolint:gofumpt // on one line
		"field's kind":  shape[string, struct{ A int }](t),
		"two fields":    shape[string, struct{ A, B string }](t),
		"other order":   shape[string, struct{ B, A string }](t),
		"nested":        shape[string, struct{ A struct{ A string } }](t),
		"time":          shape[string, time.Time](t),
		"raw":           shape[string, json.RawMessage](t),
		"tree":          shape[string, tree](t),
		"bytes":         shape[string, []byte](t),
		"list of lists": shape[string, [][]string](t),
	} {
		if other, twice := seen[s]; twice {
			t.Errorf("%s and %s have one shape", name, other)
		}
		seen[s] = name
	}
	if again := shape[string, product](t); seen[again] != "product" {
		t.Error("a shape changes by itself")
	}
}

type writesOnly struct{}

func (writesOnly) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

func TestWhatCannotBeStored(t *testing.T) {
	refused := func(_ string, err error) error { return err }
	for name, err := range map[string]error{
		"interface":  refused(cache.ShapeOf[string, any]()),
		"function":   refused(cache.ShapeOf[string, func()]()),
		"channel":    refused(cache.ShapeOf[string, chan int]()),
		"complex":    refused(cache.ShapeOf[string, complex128]()),
		"unexported": refused(cache.ShapeOf[string, struct{ a int }]()),
		"left out": refused(cache.ShapeOf[string, struct {
			A int `json:"-"`
		}]()),
		"empty left out": refused(cache.ShapeOf[string, struct {
			A []int `json:"a,omitempty"`
		}]()),
		"same name": refused(cache.ShapeOf[string, struct {
			A int `json:"b"`
			B int
		}]()),
		"embedded":        refused(cache.ShapeOf[string, struct{ money }]()),
		"deep":            refused(cache.ShapeOf[string, map[string][]struct{ A *struct{ B any } }]()),
		"nothing twice":   refused(cache.ShapeOf[string, *[]string]()),
		"keys of numbers": refused(cache.ShapeOf[string, map[int]string]()),
		"writes only":     refused(cache.ShapeOf[string, writesOnly]()),
	} {
		if err == nil {
			t.Errorf("%s: was accepted", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q", name, err)
		}
	}
}
