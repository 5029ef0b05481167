package strict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/strict"
)

type outer struct {
	Name   string           `json:"name"`
	Number int8             `json:"number,omitempty"`
	Count  uint16           `json:"count"`
	Share  float64          `json:"share"`
	On     bool             `json:"on"`
	At     time.Time        `json:"at"`
	List   []inner          `json:"list"`
	ByName map[string]inner `json:"by_name"`
	Maybe  *inner           `json:"maybe"`
	Unread string           `json:"-"`
}

type inner struct {
	Text string  `json:"text"`
	More []inner `json:"more"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const text = ` {"name": "a", "number": -3, "count": 7, "share": 1.5e1, "on": true, "at": "2026-01-02T03:04:05Z",
		"list": [{"text": "x"}, {"more": [{"text": "y"}]}], "by_name": {"k": {"text": "z"}}, "maybe": {}} `
	var got outer
	if err := strict.Decode([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	var want outer
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("it differs from what encoding/json reads (- json, + here):\n%s", d)
	}
	got = outer{Maybe: &inner{}, List: []inner{{}}, ByName: map[string]inner{"a": {}}, Name: "kept"}
	if err := strict.Decode([]byte(`{"maybe": null, "list": null, "by_name": null}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.Maybe != nil || got.List != nil || got.ByName != nil || got.Name != "kept" {
		t.Errorf("null leaves %+v", got)
	}
}

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, field, detail string }{
		{``, "body", "ends too early"},
		{`{`, "body", "ends too early"},
		{`{"name": "a"`, "body", "ends too early"},
		{`[]`, "body", "must be an object"},
		{`null`, "body", "must be an object"},
		{`{"name": "a"} x`, "body", "goes on"},
		{`{"name": "a"} {}`, "body", "goes on"},
		{`{"name": 1}`, "name", "must be a string"},
		{`{"name": null}`, "name", "must be a string"},
		{`{"name": {}}`, "name", "must be a string"},
		{`{"Name": "a"}`, "Name", "no such field"},
		{`{"Unread": "a"}`, "Unread", "no such field"},
		{`{"-": "a"}`, "-", "no such field"},
		{`{"name": "a", "name": "b"}`, "name", "twice"},
		{`{"number": 128}`, "number", "whole number in its range"},
		{`{"number": 1.5}`, "number", "whole number"},
		{`{"number": "1"}`, "number", "whole number"},
		{`{"count": -1}`, "count", "whole number in its range"},
		{`{"share": "1"}`, "share", "must be a number"},
		{`{"share": 1e999}`, "share", "must be a number"},
		{`{"share": NaN}`, "share", "is no JSON"},
		{`{"on": 1}`, "on", "true or false"},
		{`{"at": "noon"}`, "at", "must be a time, such as"},
		{`{"at": 5}`, "at", "must be a string"},
		{`{"list": {}}`, "list", "must be a list"},
		{`{"list": [{}, {"text": 2}]}`, "list[1].text", "must be a string"},
		{`{"list": [{"more": [{"wrong": 2}]}]}`, "list[0].more[0].wrong", "no such field"},
		{`{"list": [`, "list", "ends too early"},
		{`{"list": [{`, "list[0]", "ends too early"},
		{`{"by_name": {"k": {"text": 1}}}`, "by_name.k.text", "must be a string"},
		{`{"by_name": {"k": {}, "k": {}}}`, "by_name.k", "twice"},
		{`{"maybe": 1}`, "maybe", "must be an object"},
		{`{"` + strings.Repeat("x", 5000) + `": 1}`, strings.Repeat("x", 256) + "…", "no such field"},
		{`{"list": [[`, "list[0]", "must be an object"},
		{`{"list": [` + strings.Repeat(`{"more":[`, 5000), "", "values deep"},
	}
	for _, c := range cases {
		var into outer
		err := strict.Decode([]byte(c.text), &into)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.Invalid {
			t.Errorf("%.60s: the error is %v", c.text, err)
			continue
		}
		if c.field != "" && f.Field != c.field || !strings.Contains(f.Detail, c.detail) {
			t.Errorf("%.60s: %s: %s; want %s: … %s", c.text, f.Field, f.Detail, c.field, c.detail)
		}
	}
}

// FuzzDecode: what is read is what encoding/json reads, and nothing panics.
func FuzzDecode(f *testing.F) {
	f.Add(`{"name":"a","list":[{"text":"b"}],"by_name":{"c":{}},"share":1}`)
	f.Add(`{"maybe":null,"at":"2026-01-02T03:04:05Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var got, want outer
		if strict.Decode([]byte(text), &got) != nil {
			return
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("it is read, but encoding/json says %v", err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("it differs from what encoding/json reads:\n%s", d)
		}
	})
}
