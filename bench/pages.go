package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// checkPages asks both programs for every page. They must say the same, and
// no part of the gateway's page may be missing: half a page is half the work.
func (f *fleet) checkPages(ctx context.Context) error {
	header := f.options.workload.header(f.options)
	for _, path := range f.load.Paths {
		ours, told, err := fetch(ctx, f.gateway.address+path, header)
		if err != nil {
			return err
		}
		if parts := told.Get("Facet-Parts"); parts != "" {
			return fmt.Errorf("%s: the gateway's page is degraded: %s", path, parts)
		}
		theirs, _, err := fetch(ctx, f.twin.address+path, header)
		if err != nil {
			return err
		}
		if where := difference(ours, theirs); where != "" {
			return fmt.Errorf("%s: the twin's page is not the gateway's: %s", path, where)
		}
	}
	return nil
}

// difference says where two JSON texts differ in meaning; empty: nowhere.
func difference(a, b []byte) string {
	left, err := meaning(a)
	if err != nil {
		return err.Error()
	}
	right, err := meaning(b)
	if err != nil {
		return err.Error()
	}
	return diff("page", left, right)
}

// meaning keeps numbers as they were written: a float would lose digits of both alike.
func meaning(text []byte) (any, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return value, nil
}

func diff(at string, a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return diffObjects(at, a, b)
		}
	case []any:
		if b, ok := b.([]any); ok && len(a) == len(b) {
			return diffLists(at, a, b)
		}
	}
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return fmt.Sprintf("%s is %v on one side and %v on the other", at, a, b)
}

func diffObjects(at string, a, b map[string]any) string {
	names := make(map[string]bool)
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, inA := a[name]
		_, inB := b[name]
		if inA != inB {
			return at + "." + name + " is on one side only"
		}
		if found := diff(at+"."+name, a[name], b[name]); found != "" {
			return found
		}
	}
	return ""
}

func diffLists(at string, a, b []any) string {
	for i := range a {
		if found := diff(fmt.Sprintf("%s[%d]", at, i), a[i], b[i]); found != "" {
			return found
		}
	}
	return ""
}
