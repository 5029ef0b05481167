package openapi

import (
	"encoding/json"
	"iter"
	"reflect"
)

// schema is a schema of JSON Schema 2020-12, with the keywords that the documents
// here use. The empty one is anything.
type schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        types              `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Values      *schema            `json:"additionalProperties,omitempty"`

	of reflect.Type // what Ref will lead to, until it has a name
}

// types is one type as a text, several as a list.
type types []string

// MarshalJSON writes one type as a text.
func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// UnmarshalJSON reads both forms.
func (t *types) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

const (
	nullType = "null"
	textType = "string"
)

func text() *schema { return &schema{Type: types{textType}} }

// orNull returns a schema of what s is of, and of null.
func orNull(s *schema) *schema {
	switch {
	case s.of != nil || s.Enum != nil:
		return &schema{AnyOf: []*schema{s, {Type: types{nullType}}}}
	case len(s.Type) == 1:
		s.Type = append(s.Type, nullType)
	}
	return s // null is among anything, and already in what can be null
}

// all yields the schema and those inside it, not those it refers to.
func (s *schema) all() iter.Seq[*schema] {
	return func(yield func(*schema) bool) { s.each(yield) }
}

func (s *schema) each(yield func(*schema) bool) bool {
	if s == nil {
		return true
	}
	if !yield(s) || !s.Items.each(yield) || !s.Values.each(yield) {
		return false
	}
	for _, one := range s.AnyOf {
		if !one.each(yield) {
			return false
		}
	}
	for _, one := range s.Properties {
		if !one.each(yield) {
			return false
		}
	}
	return true
}
