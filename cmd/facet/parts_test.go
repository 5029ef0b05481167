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
			eventually(t, path+" in parts, for a "+device, func() bool { return sameInParts(t, gateway+path, device) })
		}
	}
	breakService(t, faults, "reviews", "hang")
	eventually(t, "the whole of a page, some time after the first of it", func() bool { // a reader may be late itself
		waited, last := inEvents(t, gateway+"/productdetails?productid=p-1043")
		return waited >= 50*time.Millisecond && strings.Contains(last, "reviews=missing;reason=timeout") // of the command's 300
	})
}

// sameInParts reports whether a page in parts comes to the whole one, which every part of
// has to be there for.
func sameInParts(t *testing.T, url, device string) bool {
	t.Helper()
	header := []string{"X-Device-Type", device, "X-User-Id", "u-7"}
	wanted, err := send(t, http.MethodGet, url, "", header...)
	if err != nil || wanted.status != http.StatusOK {
		t.Fatalf("%d %v", wanted.status, err)
	}
	got, err := send(t, http.MethodGet, url, "", append(header, "Accept", "application/x-ndjson")...)
	if err != nil || got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%v %v", got.header, err)
	}
	page, end := merged(t, got.body)
	return reflect.DeepEqual(page, object(t, wanted.body)) && end["etag"] == wanted.header.Get("ETag")
}

// inEvents returns how long after its first line the last of a page comes, and that.
func inEvents(t *testing.T, url string) (waited time.Duration, last string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
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
	for events.Scan() {
		if text := events.Text(); text != "" {
			last = text
		}
	}
	return time.Since(first), last
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
