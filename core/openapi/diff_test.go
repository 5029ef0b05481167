package openapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/core/stream"
)

// lines are changes for people; a breaking one begins with "! ".
func lines(changes []openapi.Change) string {
	var text []string
	for _, c := range changes {
		mark := ""
		if c.Breaking {
			mark = "! "
		}
		text = append(text, mark+c.String())
	}
	return strings.Join(text, "\n")
}

type (
	level   string
	levels  string
	renamed struct {
		A int `json:"a"`
	}
	growing struct {
		Leaves []*growing `json:"leaves"`
		Name   string     `json:"name"`
	}
	grown struct {
		Leaves []*grown `json:"leaves"`
		Name   *string  `json:"name"`
	}
	asked struct {
		ID string `query:"id" check:"id"`
	}
	askedAlways struct {
		ID string `query:"id" check:"id,required"`
	}
	askedMore struct {
		ID   string `query:"id" check:"id"`
		Code string `query:"code" check:"postcode"`
	}
	askedMoreAlways struct {
		ID   string `query:"id" check:"id"`
		Code string `query:"code" check:"postcode,required"`
	}
	askedOtherwise struct {
		ID string `query:"id" check:"postcode"`
	}
)

func (level) Enum() []string  { return []string{"low", "high"} }
func (levels) Enum() []string { return []string{"low", "middle", "high"} }

func with[T any]() []adapter.Endpoint {
	return []adapter.Endpoint{pageOf[struct {
		It T `json:"it"`
	}]("/x")}
}

func sometimes[T any]() []adapter.Endpoint {
	return []adapter.Endpoint{pageOf[struct {
		It T `json:"it,omitzero"`
	}]("/x")}
}

func without() []adapter.Endpoint { return []adapter.Endpoint{pageOf[struct{}]("/x")} }

func asks[Q any]() []adapter.Endpoint {
	return []adapter.Endpoint{adapter.Page("/x", func(*adapter.Request, Q) stream.Assembly[named] { return stream.Assembly[named]{} })}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	both := []adapter.Endpoint{pageOf[named]("/x"), pageOf[named]("/y")}
	for name, c := range map[string]struct {
		old, now    []adapter.Endpoint
		there, back string
	}{
		"nothing":        {with[named](), with[named](), "", ""},
		"another name":   {with[named](), with[renamed](), "", ""},
		"a page":         {both, both[:1], "! /y: the page is gone", "/y: the page is new"},
		"a field":        {with[int](), without(), "! /x: it is gone", "/x: it is new"},
		"an inner field": {with[named](), with[struct{}](), "! /x: it.a is gone", "/x: it.a is new"},
		"presence":       {with[int](), sometimes[int](), "! /x: it was always there, may now be absent", "/x: it is always there now"},
		"null":           {with[int](), with[*int](), "! /x: it may now be null", "/x: it is never null now"},
		"null struct":    {with[named](), with[*named](), "! /x: it may now be null", "/x: it is never null now"},
		"null for absence": {
			sometimes[*int](), with[*int](), "/x: it is always there now\n! /x: it may now be null",
			"! /x: it was always there, may now be absent\n/x: it is never null now",
		},
		"type":         {with[float64](), with[string](), "! /x: it: number became string", "! /x: it: string became number"},
		"type in list": {with[[]int](), with[[]bool](), "! /x: it[]: integer became boolean", "! /x: it[]: boolean became integer"},
		"type in map": {
			with[map[string]int](), with[map[string]bool](), "! /x: it.*: integer became boolean", "! /x: it.*: boolean became integer",
		},
		"null in list":   {with[[]named](), with[[]*named](), "! /x: it[] may now be null", "/x: it[] is never null now"},
		"map":            {with[struct{}](), with[map[string]int](), "! /x: it: object became map", "! /x: it: map became object"},
		"list":           {with[[1]int](), with[int](), "! /x: it: list became integer", "! /x: it: integer became list"},
		"width":          {with[int](), with[float64](), "! /x: it: integer became number", "/x: it: number became integer"},
		"time":           {with[time.Time](), with[string](), "! /x: it: date-time became string", "/x: it: string became date-time"},
		"anything":       {with[named](), with[opaque](), "! /x: it: object became anything", "/x: it: anything became object"},
		"anything there": {with[*int](), with[opaque](), "! /x: it: integer became anything", "/x: it: anything became integer"},
		"enum":           {with[level](), with[levels](), `! /x: it: enum gained "middle"`, `/x: it: enum lost "middle"`},
		"null enum":      {with[*level](), with[*levels](), `! /x: it: enum gained "middle"`, `/x: it: enum lost "middle"`},
		"any text":       {with[level](), with[string](), "! /x: it may now be any text", `/x: it is now one of "low", "high"`},
		"recursion":      {with[growing](), with[grown](), "! /x: it.name may now be null", "/x: it.name is never null now"},
		"parameter":      {asks[askedMore](), asks[asked](), "! /x: query parameter code is gone", "/x: query parameter code is new"},
		"required parameter": {
			asks[asked](), asks[askedMoreAlways](), "! /x: query parameter code is new and required", "! /x: query parameter code is gone",
		},
		"requirement": {
			asks[asked](), asks[askedAlways](), "! /x: query parameter id is now required", "/x: query parameter id is no longer required",
		},
		"pattern": {
			asks[asked](), asks[askedOtherwise](),
			"! /x: query parameter id must now match ^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$, not ^[A-Za-z0-9_-]{1,64}$",
			"! /x: query parameter id must now match ^[A-Za-z0-9_-]{1,64}$, not ^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, now := document(t, c.old...), document(t, c.now...)
			if diff := cmp.Diff(c.there, lines(openapi.Diff(old, now))); diff != "" {
				t.Errorf("there: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.back, lines(openapi.Diff(now, old))); diff != "" {
				t.Errorf("back: -want +got:\n%s", diff)
			}
			for _, d := range []*openapi.Document{old, now} {
				read, err := openapi.Read(d.JSON())
				must(t, err)
				if same := lines(openapi.Diff(d, read)); same != "" {
					t.Errorf("a document differs from itself: %s", same)
				}
			}
		})
	}
}

// TestDiffOfParameters changes texts: nothing that a version declares comes to it.
func TestDiffOfParameters(t *testing.T) {
	t.Parallel()
	text := string(document(t, asks[asked]()...).JSON())
	const pattern = `,
              "pattern": "^[A-Za-z0-9_-]{1,64}$"`
	const class = `,
          "enum": [
            "watch"
          ]`
	for name, c := range map[string]struct{ cut, with, there, back string }{
		"pattern": {
			pattern, "", "/x: query parameter id no longer has to match ^[A-Za-z0-9_-]{1,64}$",
			"! /x: query parameter id must now match ^[A-Za-z0-9_-]{1,64}$",
		},
		"words": {class, "", "/x: header parameter X-Screen may now be any text", `! /x: header parameter X-Screen must now be one of "watch"`},
		"word": {
			`            "watch"`, `            "watch", "ring"`,
			`/x: header parameter X-Screen: enum gained "ring"`, `! /x: header parameter X-Screen: enum lost "ring"`,
		},
		"header": {
			`"X-Screen"`, `"X-Display"`, "! /x: header parameter X-Screen is gone\n/x: header parameter X-Display is new",
			"! /x: header parameter X-Display is gone\n/x: header parameter X-Screen is new",
		},
	} {
		if !strings.Contains(text, c.cut) {
			t.Fatalf("%s: %s is not in the document", name, c.cut)
		}
		old, err := openapi.Read([]byte(text))
		must(t, err)
		now, err := openapi.Read([]byte(strings.Replace(text, c.cut, c.with, 1)))
		must(t, err)
		if diff := cmp.Diff(c.there, lines(openapi.Diff(old, now))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if diff := cmp.Diff(c.back, lines(openapi.Diff(now, old))); diff != "" {
			t.Errorf("%s back: -want +got:\n%s", name, diff)
		}
	}
}

// FuzzRead: whatever is read can be written, read again, and compared.
func FuzzRead(f *testing.F) {
	v, err := adapter.New("watch", "v1", pageOf[generic[map[string][]*level]]("/g"))
	if err != nil {
		f.Fatal(err)
	}
	d, err := openapi.New(v, openapi.Options{Header: "X-Screen", Class: "watch"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.JSON())
	f.Add([]byte(`{"openapi": "3.1.0", "paths": {"/": {"get": {"responses": {"200": {"content": {"application/json": {"schema":
		{"type": "array", "anyOf": [null], "properties": {"a": null}}}}}}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := openapi.Read(text)
		if err != nil {
			return
		}
		again, err := openapi.Read(read.JSON())
		if err != nil {
			t.Fatalf("%v\n%s", err, read.JSON())
		}
		if same := lines(openapi.Diff(read, again)); same != "" {
			t.Errorf("it differs from itself: %s", same)
		}
		openapi.Diff(d, read)
		openapi.Diff(read, d)
	})
}
