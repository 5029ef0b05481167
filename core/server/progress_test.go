package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

const (
	lines  = "application/x-ndjson"
	events = "text/event-stream"
)

// record is one of a page in parts.
type record struct {
	kind string
	text string
}

// records reads them one by one.
type records struct {
	*bufio.Reader
	framing string
}

// next returns a record; its kind is "" at the end.
func (r records) next(t *testing.T) record {
	t.Helper()
	line, err := r.ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		return record{}
	}
	if err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if r.framing == events {
		data, _ := r.ReadString('\n')
		if empty, err := r.ReadString('\n'); err != nil || empty != "\n" || !strings.HasPrefix(data, "data: ") {
			t.Fatalf("%q %q %q, %v", line, data, empty, err)
		}
		return record{strings.TrimSpace(strings.TrimPrefix(line, "event: ")), strings.TrimSpace(strings.TrimPrefix(data, "data: "))}
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &one); err != nil || len(one) != 1 {
		t.Fatalf("%q, %v", line, err)
	}
	for kind, text := range one {
		return record{kind, string(text)}
	}
	return record{}
}

// together is what a client makes of records, up to the last one, which is returned.
func together(t *testing.T, r records) (page map[string]any, last record) {
	t.Helper()
	for {
		switch one := r.next(t); one.kind {
		case "page", "members":
			if (one.kind == "page") != (page == nil) {
				t.Errorf("%s comes where it does not belong", one.kind)
			}
			if err := json.Unmarshal([]byte(one.text), &page); err != nil { // adds to the map
				t.Fatal(err)
			}
		case "without":
			var names []string
			if err := json.Unmarshal([]byte(one.text), &names); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				delete(page, name)
			}
		default:
			if rest := r.next(t); rest.kind != "" {
				t.Errorf("%+v comes after %+v", rest, one)
			}
			return page, one
		}
	}
}

// slowly is a fixture with a page whose extra part waits until it is let go.
func slowly(t *testing.T) (f *fixture, letGo func()) {
	t.Helper()
	gate := make(chan struct{})
	f = newFixture(t, func(o *server.Options) {
		v, err := adapter.New(devices.Phone, "v1", adapter.Page("/slow", func(_ *adapter.Request, _ struct{}) stream.Assembly[page] {
			return stream.Assemble(
				stream.Optional("extra", gated(gate), func(p *page, v string) { p.Extra = v }),
				stream.Required("title", stream.Of("a \u2028 title"), func(p *page, v string) { p.Title = v }),
				stream.Optional("hangs", gated(nil), func(p *page, v string) { p.User = v }),
			)
		}))
		if err != nil {
			t.Fatal(err)
		}
		o.Versions[slices.IndexFunc(o.Versions, func(v *adapter.Version) bool { return v.Class == devices.Phone })] = v
		o.Budgets["slow"] = 400 * time.Millisecond
	})
	return f, func() { close(gate) }
}

// gated is the stream of a text that waits for its gate.
func gated(gate <-chan struct{}) stream.Stream[string] {
	return stream.Source(nil, func(ctx context.Context) (string, report.Mark, error) {
		select {
		case <-gate:
			return "extra", report.Mark{Rung: report.Live}, nil
		case <-ctx.Done():
			return "", report.Mark{}, context.Cause(ctx)
		}
	})
}

// TestAPageComesInParts: what it needs at once, the rest as it comes, and together it is
// the page that is sent whole.
func TestAPageComesInParts(t *testing.T) {
	for _, framing := range []string{lines, events} {
		f, letGo := slowly(t)
		s := httptest.NewServer(f.Handler())
		ask := func(accept string) *http.Response {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/slow", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", accept)
			r.Header.Set("X-Device-Type", "phone")
			r.Header.Set("Facet-Timing", "1")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = answer.Body.Close() })
			return answer
		}
		answer := ask(framing)
		r := records{bufio.NewReader(answer.Body), framing}
		if first := r.next(t); first.kind != "page" || !strings.Contains(first.text, "title") || strings.Contains(first.text, `"extra":"extra"`) {
			t.Errorf("%s: first comes %+v", framing, first)
		}
		letGo()
		if second := r.next(t); second.kind != "members" || second.text != `{"extra":"extra"}` {
			t.Errorf("%s: then comes %+v", framing, second)
		}
		end := r.next(t)
		whole := ask("application/json")
		var told struct{ ETag, Parts, Timing string }
		if err := json.Unmarshal([]byte(end.text), &told); err != nil || end.kind != "end" || told.ETag != whole.Header.Get("ETag") ||
			told.Parts != "hangs=missing;reason=budget" || !strings.Contains(told.Timing, "title") {
			t.Errorf("%s: in the end comes %+v, %v, for %v", framing, end, err, whole.Header)
		}
		if got := answer.Header; answer.StatusCode != http.StatusOK || got.Get("Content-Type") != framing || got.Get("ETag") != "" ||
			!strings.Contains(got.Get("Vary"), "Accept,") || got.Get("Facet-Adapter") != "phone/v1" {
			t.Errorf("%s: %d %v", framing, answer.StatusCode, got)
		}
		http.DefaultClient.CloseIdleConnections()
		s.Close()
	}
}

// TestPartsMakeTheWholePage of every page of the fixture.
func TestPartsMakeTheWholePage(t *testing.T) {
	f := newFixture(t, nil)
	for _, id := range []string{"item?id=a", "item?id=stale", "item?id=panic-setter", "item?id=long", "extra?id=a", "extra?id=fault-open"} {
		target := "/" + id
		whole := f.do("GET", target, onPhone, "X-User-Id: u-7")
		var want map[string]any
		if err := json.Unmarshal([]byte(body(t, whole)), &want); err != nil {
			t.Fatal(err)
		}
		for _, framing := range []string{lines, events} {
			got := f.do("GET", target, onPhone, "X-User-Id: u-7", "Accept: "+framing)
			page, last := together(t, records{bufio.NewReader(got.Body), framing})
			etag := strings.ReplaceAll(whole.Header.Get("ETag"), `"`, `\"`)
			if !reflect.DeepEqual(page, want) || last.kind != "end" || !strings.Contains(last.text, etag) {
				t.Errorf("%s %s: %v, %+v; want %v", target, framing, page, last, want)
			}
		}
	}
}

// TestWhoWantsAPageInParts says so.
func TestWhoWantsAPageInParts(t *testing.T) {
	f := newFixture(t, nil)
	const whole = "application/json"
	for accept, want := range map[string]string{
		"": whole, "*/*": whole, "application/json": whole, "text/html": whole, "application/*": whole, lines: lines, events: events,
		"TEXT/Event-Stream": events, lines + ", application/json": lines, "application/json, " + lines: lines, lines + ";q=0": whole,
		lines + ";q=0.5, application/json": whole, lines + ";q=0.5, application/json;q=0.4": lines, lines + ";q=0.5, */*": whole,
		lines + ";q=0.4, " + events: events, lines + ";charset=utf-8;Q=0.3, application/json;version=1;q=0.2": lines,
		"application/json;q=0.1, */*;q=1, " + lines + ";q=0.2": lines, lines + ";q=x": whole, ",;,": whole,
	} {
		got := f.do("GET", "/item?id=a", onPhone, "Accept: "+accept)
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != want {
			t.Errorf("%q: %d %s, want %s", accept, got.StatusCode, got.Header.Get("Content-Type"), want)
		}
	}
	if got := f.do("HEAD", "/item?id=a", onPhone, "Accept: "+lines); got.Header.Get("Content-Type") != whole {
		t.Errorf("HEAD: %v", got.Header)
	}
}

// TestAPageThatCannotBeIsAProblem, in parts as whole.
func TestAPageThatCannotBeIsAProblem(t *testing.T) {
	f := newFixture(t, nil)
	for target, status := range map[string]int{
		"/item?id=fault-open": 503, "/item?id=panic": 500, "/item?id=hang": 504, "/item": 400, "/none": 404,
	} {
		got := f.do("GET", target, onPhone, "Accept: "+lines)
		if problemOf(t, got); got.StatusCode != status {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
	}
}

// TestAPageThatDoesNotEndIsSaid: what has begun cannot be another answer.
func TestAPageThatDoesNotEndIsSaid(t *testing.T) {
	r := newReleased(t, share(100), nil)
	defer close(r.release)
	got := r.do("GET", "/item?id=loop-late", onPhone, "X-User-Id: u-1", "Accept: "+lines)
	page, last := together(t, records{bufio.NewReader(got.Body), lines})
	if got.StatusCode != http.StatusOK || page["title"] != "title of loop-late, candidate" || last.kind != "problem" ||
		!strings.Contains(last.text, `"code":"timeout"`) {
		t.Errorf("%d %v %+v", got.StatusCode, page, last)
	}
}

// TestACandidateFallsBackBeforeItsPageBegins, and not after.
func TestACandidateFallsBackBeforeItsPageBegins(t *testing.T) {
	r := newReleased(t, share(100), nil)
	got := r.do("GET", "/item?id=new-panic", onPhone, "X-User-Id: u-1", "Accept: "+lines)
	page, last := together(t, records{bufio.NewReader(got.Body), lines})
	if page["title"] != "title of new-panic" || last.kind != "end" || got.Header.Get("Facet-Adapter") != "phone/v1" {
		t.Errorf("%v %+v %v", page, last, got.Header)
	}
	if seen := r.last(); !seen.FellBack || seen.Arm != rollout.Candidate {
		t.Errorf("%+v", seen)
	}
}

// TestMembersThatChange: each is told once, and what goes is told, too.
func TestMembersThatChange(t *testing.T) {
	const want = `{"page":{"b":1,"a":[1]}}` + "\n" + `{"members":{"a":[1,2],"c":"x"}}` + "\n" + `{"without":["b"]}` + "\n"
	got := server.Grow(`{"b":1,"a":[1]}`, `{"b":1,"a":[1]}`, `{"b":1,"a":[1,2],"c":"x"}`, `{"a":[1,2],"c":"x"}`)
	if string(got) != want {
		t.Errorf("%s", got)
	}
	if got := server.Grow(`[1]`, `[1,2]`, `"x"`, ``, `{`, `{"a":1`); len(got) != 0 {
		t.Errorf("of what is no object: %s", got)
	}
}

// FuzzGrow: whatever a page was before, its records make the page.
func FuzzGrow(f *testing.F) {
	f.Add(`{"a":1}`, `{"b":{"a":[]},"a":null}`, "{\n \"\\u0000\": 1.50\n}")
	f.Add(`{}`, `{"":0,"a":"<é>"}`, `{"a":"\u2028"}`)
	f.Fuzz(func(t *testing.T, one, two, three string) {
		var bodies []string
		for _, body := range []string{one, two, three} {
			var object map[string]json.RawMessage
			if json.Unmarshal([]byte(body), &object) != nil || object == nil || hasTwice(body) {
				return
			}
			bodies = append(bodies, body)
		}
		r := records{bufio.NewReader(io.MultiReader(bytes.NewReader(server.Grow(bodies...)), strings.NewReader("{\"end\":{}}\n"))), lines}
		got, _ := together(t, r)
		var want map[string]any
		if err := json.Unmarshal([]byte(three), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// hasTwice reports whether an object has a name twice, which no page has.
func hasTwice(body string) bool {
	d := json.NewDecoder(strings.NewReader(body))
	_, _ = d.Token()
	var names []string
	for d.More() {
		name, _ := d.Token()
		text, _ := name.(string)
		var value json.RawMessage
		if d.Decode(&value) != nil || slices.Contains(names, text) {
			return true
		}
		names = append(names, text)
	}
	return false
}
