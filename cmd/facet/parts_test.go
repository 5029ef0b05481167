package main_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestPagesInParts asks the real program for each page of each device while it grows:
// together its records are the page that comes whole. With a service that hangs, what is
// there comes long before.
func TestPagesInParts(t *testing.T) {
	t.Parallel()
	_, gateway, faults := demo(t)
	for _, device := range []string{"tv", "phone", "tablet"} {
		for _, path := range []string{"/productdetails?productid=p-1042&postcode=1011AB", "/home", "/wishlist"} {
			header := []string{"X-Device-Type", device, "X-User-Id", "u-7"}
			wanted, err := send(t, http.MethodGet, gateway+path, "", header...)
			if err != nil || wanted.status != http.StatusOK {
				t.Fatalf("%s %s: %d %v", device, path, wanted.status, err)
			}
			got, err := send(t, http.MethodGet, gateway+path, "", append(header, "Accept", "application/x-ndjson")...)
			if err != nil || got.header.Get("Content-Type") != "application/x-ndjson" {
				t.Fatalf("%s %s: %v %v", device, path, got.header, err)
			}
			if page, end := merged(t, got.body); !reflect.DeepEqual(page, object(t, wanted.body)) || end["etag"] != wanted.header.Get("ETag") {
				t.Errorf("%s %s: %v, in the end %v; whole it is %s", device, path, page, end, wanted.body)
			}
		}
	}
	breakService(t, faults, "reviews", "hang")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway+"/productdetails?productid=p-1043", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"X-Device-Type": {"phone"}, "Accept": {"text/event-stream"}}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	events := bufio.NewScanner(answer.Body)
	if events.Scan(); events.Text() != "event: page" {
		t.Fatalf("first comes %q", events.Text())
	}
	first := time.Now()
	last := ""
	for events.Scan() {
		if text := events.Text(); text != "" {
			last = text
		}
	}
	if waited := time.Since(first); waited < 50*time.Millisecond { // of the command's 300
		t.Errorf("the whole came %v after the first of it", waited)
	}
	if !strings.Contains(last, "reviews=missing;reason=timeout") {
		t.Errorf("last comes %q", last)
	}
}

// merged is what a client makes of records, and what the last one says.
func merged(t *testing.T, text string) (page, end map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var one struct {
			Page, Members, End json.RawMessage
			Without            []string
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, set := range []json.RawMessage{one.Page, one.Members} {
			if set != nil && json.Unmarshal(set, &page) != nil {
				t.Fatalf("%q is no object", set)
			}
		}
		for _, name := range one.Without {
			delete(page, name)
		}
		if one.End != nil && json.Unmarshal(one.End, &end) != nil {
			t.Fatalf("%q is no object", one.End)
		}
	}
	return page, end
}

func object(t *testing.T, text string) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}
