package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// outcome is what a request for the page came to.
type outcome struct {
	body  string
	err   error
	parts []report.Part
	told  string // Facet-Parts
	calls []*report.Call
	took  time.Duration
	asked map[string]int64 // requests that each service had, if any
}

// show asks for the page, as the server does.
func (s *stage) show(r *adapter.Request) outcome { return s.watched(r, nil) }

// watched asks for a page before the eyes of a watcher, if there is one.
func (s *stage) watched(r *adapter.Request, w stream.Watcher) outcome { return s.made(r, w, nil) }

// made asks for a page, in parts if somebody is to be told while it grows.
func (s *stage) made(r *adapter.Request, w stream.Watcher, grown func(body []byte)) outcome {
	s.shop.ResetStats()
	record := report.New("", report.Trace{})
	ctx, scope := stream.Open(context.Background(), record)
	scope.Watch(w)
	answer, err := s.endpoint.ServeInParts(ctx, r, grown)
	took := time.Since(record.Began)
	if !drained(scope) {
		err = errors.Join(err, errors.New("the page has ended, and its streams have not"))
	}
	return outcome{
		body: string(answer.Body), err: err, parts: record.Parts, told: record.PartsHeader(),
		calls: record.Calls(), took: took, asked: s.asked(),
	}
}

// drained closes a scope and reports whether its streams end: on a busy machine
// they may have to be waited for.
func drained(scope *stream.Scope) bool {
	for deadline := time.Now().Add(patience); scope.Close() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

func (s *stage) asked() map[string]int64 {
	counts := map[string]int64{}
	for _, name := range services.Names() {
		if n := s.shop.Stats(name).Requests; n > 0 {
			counts[name] = n
		}
	}
	return counts
}

// services are the names of those that were asked, sorted.
func (o *outcome) services() []string { return slices.Sorted(maps.Keys(o.asked)) }

// commands are the calls by their command.
func (o *outcome) commands() map[string]int {
	counts := map[string]int{}
	for _, call := range o.calls {
		counts[call.Command]++
	}
	return counts
}

// named are the entries of Facet-Parts, by name.
func (o *outcome) named() map[string]any {
	entries := map[string]any{}
	for entry := range strings.SplitSeq(o.told, ", ") {
		if name, value, found := strings.Cut(entry, "="); found {
			entries[name] = value
		}
	}
	return entries
}

// tree is the members of the page and the entries of Facet-Parts, by name; nil if
// there is no page.
func (o *outcome) tree() any {
	var page any
	d := json.NewDecoder(strings.NewReader(o.body))
	d.UseNumber() // else large numbers that differ could be equal
	if o.err != nil || d.Decode(&page) != nil {
		return nil
	}
	members, ok := page.(map[string]any)
	if !ok {
		members = map[string]any{"*": page}
	}
	tree := map[string]any{}
	for name, value := range members {
		tree["the member "+name] = value
	}
	for name, entry := range o.named() {
		tree["the part "+name] = entry
	}
	return tree
}

// valid says why a body is no page of the type.
func valid(body string, page reflect.Type) error {
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(page).Interface()); err != nil {
		return fmt.Errorf("it is no %s: %w", page, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the page")
	}
	return nil
}
