package openapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/core/stream"
)

type query struct {
	ID   string `query:"productid" check:"id,required"`
	Code string `query:"postcode" check:"postcode"`
}

func pageOf[P any](path string) adapter.Endpoint {
	return adapter.Page(path, func(*adapter.Request, query) stream.Assembly[P] { return stream.Assembly[P]{} })
}

// describe returns the document of a watch's version.
func describe(t *testing.T, name string, endpoints ...adapter.Endpoint) (*openapi.Document, error) {
	t.Helper()
	v, err := adapter.New("watch", name, endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return openapi.New(v, openapi.Options{Header: "X-Screen", Class: "watch"})
}

func document(t *testing.T, endpoints ...adapter.Endpoint) *openapi.Document {
	t.Helper()
	d, err := describe(t, "v1", endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type (
	state  string
	shout  string
	opaque struct{}
	named  struct {
		A int `json:"a"`
	}
	tree struct {
		Leaves []*tree `json:"leaves"`
	}
	base struct {
		ID   string `json:"id"`
		Same int    `json:"same"`
	}
	maybe struct {
		Later time.Time `json:"later"`
	}
	whole struct {
		base
		*maybe
		Same bool `json:"same"`
		Base base `json:"base"`
		None int  `json:"-"`
		Bare int
	}
	generic[T any] struct {
		It T `json:"it"`
	}
)

func (state) Enum() []string                 { return []string{"on", "off"} }
func (shout) MarshalText() ([]byte, error)   { return []byte("!"), nil }
func (*opaque) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// shape is a case of TestShapes: the schema of a page that is generic[T].
func shape[T any](name, want string) struct {
	name string
	page adapter.Endpoint
	want string
} {
	return struct {
		name string
		page adapter.Endpoint
		want string
	}{name, pageOf[struct {
		It T `json:"it"`
	}]("/x"), want}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	const date = `{"type": "string", "format": "date-time"}`
	for _, c := range []struct {
		name string
		page adapter.Endpoint
		want string
	}{
		shape[string]("text", `{"type": "string"}`),
		shape[bool]("truth", `{"type": "boolean"}`),
		shape[uint8]("whole number", `{"type": "integer"}`),
		shape[float32]("number", `{"type": "number"}`),
		shape[json.Number]("number as text", `{"type": "number"}`),
		shape[time.Time]("time", date),
		shape[*time.Time]("time or none", `{"type": ["string", "null"], "format": "date-time"}`),
		shape[*int]("pointer", `{"type": ["integer", "null"]}`),
		shape[**int]("pointer to a pointer", `{"type": ["integer", "null"]}`),
		shape[[]int]("list", `{"type": "array", "items": {"type": "integer"}}`),
		shape[[2]int]("array", `{"type": "array", "items": {"type": "integer"}}`),
		shape[[][]int]("list of lists", `{"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}`),
		shape[map[string]bool]("map", `{"type": "object", "additionalProperties": {"type": "boolean"}}`),
		shape[state]("words", `{"type": "string", "enum": ["on", "off"]}`),
		shape[*state]("words or none", `{"anyOf": [{"type": "string", "enum": ["on", "off"]}, {"type": "null"}]}`),
		shape[shout]("own text", `{"type": "string"}`),
		shape[opaque]("own encoder", `{}`),
		shape[*opaque]("own encoder or none", `{}`),
		shape[named]("struct", `{"$ref": "#/components/schemas/Named"}`),
		shape[*named]("struct or none", `{"anyOf": [{"$ref": "#/components/schemas/Named"}, {"type": "null"}]}`),
		shape[generic[named]]("generic struct", `{"$ref": "#/components/schemas/GenericNamed"}`),
		shape[struct{}]("struct without a name", `{"type": "object"}`),
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			page := `{"type": "object", "properties": {"it": ` + c.want + `}, "required": ["it"]}`
			same(t, page, at(t, document(t, c.page), "paths", "/x", "get", "responses", "200", "content", "application/json", "schema"))
		})
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	type left struct {
		A *int           `json:"a,omitempty"`
		B []int          `json:"b,omitzero"`
		C map[string]int `json:"c,omitempty"`
		D *named         `json:"d,omitzero"`
		E **int          `json:"e,omitempty"`
		F int            `json:"f,string"`
		G *int           `json:"g,string"`
		H *int           `json:"h,string,omitempty"`
	}
	d := document(t, pageOf[left]("/a"), pageOf[tree]("/b"), pageOf[whole]("/c"))
	same(t, `{"type": "object", "required": ["f", "g"], "properties": {
		"a": {"type": "integer"},
		"b": {"type": "array", "items": {"type": "integer"}},
		"c": {"type": "object", "additionalProperties": {"type": "integer"}},
		"d": {"$ref": "#/components/schemas/Named"},
		"e": {"type": ["integer", "null"]},
		"f": {"type": "string"},
		"g": {"type": ["string", "null"]},
		"h": {"type": "string"}}}`, at(t, d, "components", "schemas", "Left"))
	same(t, `{"type": "object", "required": ["leaves"], "properties": {
		"leaves": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}}}}`,
		at(t, d, "components", "schemas", "Tree"))
	same(t, `{"type": "object", "required": ["id", "same", "base", "Bare"], "properties": {
		"id": {"type": "string"}, "later": {"type": "string", "format": "date-time"}, "same": {"type": "boolean"},
		"base": {"$ref": "#/components/schemas/Base"}, "Bare": {"type": "integer"}}}`,
		at(t, d, "components", "schemas", "Whole"))
}

func TestTwoFieldsOfOneName(t *testing.T) {
	t.Parallel()
	type twice struct {
		A    int `json:"Same"`
		Same int
	}
	const want = `openapi_test.twice: two fields are called "Same"`
	if _, err := describe(t, "v1", pageOf[twice]("/x")); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	type named struct { // another one of this name
		B int `json:"b"`
	}
	other, outer := pageOf[named]("/b"), pageOf[outerNamed]("/a")
	d := document(t, outer, other)
	for name, field := range map[string]string{"Openapi_testNamed": "a", "Openapi_testNamed_2": "b"} {
		if got := at(t, d, "components", "schemas", name, "properties", field); got == nil {
			t.Errorf("%s has no %s", name, field)
		}
	}
}

type outerNamed = named

func TestOperation(t *testing.T) {
	t.Parallel()
	d := document(t, pageOf[named]("/a/b"))
	for _, c := range []struct {
		want string
		at   []string
	}{
		{`"3.1.0"`, []string{"openapi"}},
		{`"v1"`, []string{"info", "version"}},
		{`"a_b"`, []string{"paths", "/a/b", "get", "operationId"}},
		{`[
			{"name": "productid", "in": "query", "required": true, "description": "must be 1 to 64 of A-Z, a-z, 0-9, _ and -",
				"schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}},
			{"name": "postcode", "in": "query", "description": "must be 2 to 10 letters, digits, spaces and hyphens, the first a letter or digit",
				"schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$"}},
			{"$ref": "#/components/parameters/Device"},
			{"$ref": "#/components/parameters/User"},
			{"$ref": "#/components/parameters/IfNoneMatch"}]`, []string{"paths", "/a/b", "get", "parameters"}},
		{`"X-Screen"`, []string{"components", "parameters", "Device", "name"}},
		{`["watch"]`, []string{"components", "parameters", "Device", "schema", "enum"}},
		{`["watch/v1"]`, []string{"components", "headers", "Facet-Adapter", "schema", "enum"}},
		{`"#/components/headers/Retry-After"`, []string{"components", "responses", "unavailable", "headers", "Retry-After", "$ref"}},
		{`["code", "request_id", "status", "title", "type"]`, sortedRequired},
	} {
		got := at(t, d, c.at...)
		if c.at[len(c.at)-1] == "required" {
			got = sorted(got)
		}
		same(t, c.want, got)
	}
	responses, _ := at(t, d, "paths", "/a/b", "get", "responses").(map[string]any)
	for _, status := range strings.Fields("200 304 400 401 404 405 431 500 502 503 504") {
		if responses[status] == nil {
			t.Errorf("there is no %s", status)
		}
		delete(responses, status)
	}
	if len(responses) != 0 {
		t.Errorf("there are also %v", responses)
	}
}

func TestSameTextEachTime(t *testing.T) {
	t.Parallel()
	first := document(t, pageOf[whole]("/c"), pageOf[tree]("/b")).JSON()
	for range 20 {
		if again := document(t, pageOf[whole]("/c"), pageOf[tree]("/b")).JSON(); !bytes.Equal(first, again) {
			t.Fatal(cmp.Diff(string(first), string(again)))
		}
	}
	read, err := openapi.Read(first)
	must(t, err)
	if diff := cmp.Diff(string(first), string(read.JSON())); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good := string(document(t, pageOf[named]("/x")).JSON())
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "EOF"},
		"no JSON":           {"openapi: 3.1.0", "invalid character"},
		"another thing":     {`{"name": "x"}`, `unknown field "name"`},
		"a list":            {`[]`, "cannot unmarshal array"},
		"empty":             {`{}`, `openapi: must be 3.1, not ""`},
		"an older dialect":  {strings.Replace(good, "3.1.0", "3.0.3", 1), `not "3.0.3"`},
		"no paths":          {`{"openapi": "3.1.0"}`, "paths: the document has none"},
		"two":               {good + good, "something follows it"},
		"unknown keyword":   {strings.Replace(good, `"type": "object"`, `"oneOf": []`, 1), `unknown field "oneOf"`},
		"broken reference":  {strings.Replace(good, `schemas/Named`, `schemas/Nobody`, 1), `x: "#/components/schemas/Nobody" leads nowhere`},
		"broken parameter":  {strings.Replace(good, `parameters/User`, `parameters/Nobody`, 1), `x: "#/components/parameters/Nobody" leads`},
		"no page":           {strings.Replace(good, `"200":`, `"201":`, 1), "paths./x: there is no page"},
		"a type that is no": {strings.Replace(good, `"type": "object"`, `"type": 7`, 1), "cannot unmarshal number"},
	} {
		if d, err := openapi.Read([]byte(c.text)); err == nil || d != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
