// Package validate holds what a gateway answers to the document of package
// openapi, with a validator that is not ours. It is stricter than the document: a
// field that this does not describe is a fault, too, which a client would ignore.
package validate

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is one that answers are held to. It is of one goroutine.
type Document struct {
	compiler *jsonschema.Compiler
	parsed   map[string]any
}

// name is what the validator knows a document by.
const name = "document.json"

// New reads a document, of whatever form its text has.
func New(text []byte) (*Document, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the document: %w", err)
	}
	root, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document: must be an object, not %T", parsed)
	}
	closeObjects(root)
	d := &Document{jsonschema.NewCompiler(), root}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(name, root); err != nil {
		return nil, fmt.Errorf("the document: %w", err)
	}
	return d, nil
}

// closeObjects forbids in each schema of an object what it does not describe.
func closeObjects(v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			closeObjects(one)
		}
	case map[string]any:
		if v["type"] == "object" && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, one := range v {
			closeObjects(one)
		}
	}
}

// Page says what is wrong with the body of a page.
func (d *Document) Page(path string, body []byte) error {
	return d.validate(pointer("paths", path, "get", "responses", "200", "content", "application/json", "schema"), body)
}

// Answer says what is wrong with an answer: its body, and a header that is not
// there but has to be.
func (d *Document) Answer(path string, status int, h http.Header, body []byte) error {
	at := []string{"paths", path, "get", "responses", strconv.Itoa(status)}
	found := d.find(at)
	if found == nil {
		return fmt.Errorf("%s: the document has no %d", path, status)
	}
	if ref, _ := found["$ref"].(string); ref != "" {
		at = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		found = d.find(at)
	}
	if err := d.header(found, h); err != nil {
		return fmt.Errorf("%s, %d: %w", path, status, err)
	}
	content, _ := found["content"].(map[string]any)
	kind := h.Get("Content-Type")
	switch {
	case content == nil && len(body) == 0:
		return nil
	case content[kind] == nil:
		return fmt.Errorf("%s, %d: the document has no content of type %q", path, status, kind)
	}
	return d.validate(pointer(append(at, "content", kind, "schema")...), body)
}

// header says which header a response has to have and does not.
func (d *Document) header(response map[string]any, h http.Header) error {
	described, _ := response["headers"].(map[string]any)
	for name := range described {
		shared := d.find([]string{"components", "headers", name})
		if required, _ := shared["required"].(bool); required && h.Get(name) == "" {
			return fmt.Errorf("there is no %s", name)
		}
	}
	return nil
}

// find returns the object at a path of the document; nil if there is none.
func (d *Document) find(path []string) map[string]any {
	at := d.parsed
	for _, name := range path {
		at, _ = at[name].(map[string]any)
	}
	return at
}

func (d *Document) validate(pointer string, body []byte) error {
	s, err := d.compiler.Compile(name + pointer)
	if err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	if err := s.Validate(value); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	return nil
}

// pointer returns a JSON pointer as a fragment.
func pointer(path ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "+", "%2B")
	text := "#"
	for _, name := range path {
		text += "/" + escape.Replace(name)
	}
	return text
}
