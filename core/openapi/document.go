package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document and what follows are the objects of OpenAPI, with the fields that the
// documents here have.
type document struct {
	OpenAPI    string          `json:"openapi"`
	Info       info            `json:"info"`
	Paths      map[string]path `json:"paths"`
	Components components      `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type path struct {
	Get operation `json:"get"`
}

type operation struct {
	ID          string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Description string              `json:"description"`
	Parameters  []parameter         `json:"parameters"`
	Responses   map[string]response `json:"responses"`
}

type parameter struct {
	Ref         string  `json:"$ref,omitempty"`
	Name        string  `json:"name,omitempty"`
	In          string  `json:"in,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema,omitempty"`
}

type response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]header `json:"headers,omitempty"`
	Content     map[string]media  `json:"content,omitempty"`
}

type header struct {
	Ref         string  `json:"$ref,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema,omitempty"`
}

type media struct {
	Schema *schema `json:"schema"`
}

type components struct {
	Schemas    map[string]*schema   `json:"schemas"`
	Parameters map[string]parameter `json:"parameters"`
	Headers    map[string]header    `json:"headers"`
	Responses  map[string]response  `json:"responses"`
}

// Where the shared objects are.
const (
	schemasAt    = "#/components/schemas/"
	parametersAt = "#/components/parameters/"
	headersAt    = "#/components/headers/"
	responsesAt  = "#/components/responses/"
)

// pageType is the media type of pages.
const pageType = "application/json"

// eventType is the media type of what keeps coming.
const eventType = "text/event-stream"

// page returns the schema of what an operation answers with 200, or of each event of it;
// nil if there is none.
func (o *operation) page() *schema {
	content := o.Responses["200"].Content
	return cmp.Or(content[pageType].Schema, content[eventType].Schema)
}

// resolve follows a schema's reference.
func (d *document) resolve(s *schema) *schema {
	if name, refers := strings.CutPrefix(s.Ref, schemasAt); refers {
		return d.Components.Schemas[name]
	}
	return s
}

// resolvable says which references of pages lead nowhere, and which page has no schema.
func (d *document) resolvable() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		errs = append(errs, d.lead("components.schemas."+name, d.Components.Schemas[name]))
	}
	for _, at := range slices.Sorted(maps.Keys(d.Paths)) {
		get := d.Paths[at].Get
		if get.page() == nil {
			errs = append(errs, fmt.Errorf("paths.%s: there is no page", at))
		}
		errs = append(errs, d.lead("paths."+at, get.page()))
		for _, p := range get.Parameters {
			if _, found := d.Components.Parameters[strings.TrimPrefix(p.Ref, parametersAt)]; p.Ref != "" && !found {
				errs = append(errs, nowhere("paths."+at, p.Ref))
			}
		}
	}
	return errors.Join(errs...)
}

// lead says which references in a schema lead to nothing or to another reference.
func (d *document) lead(where string, s *schema) error {
	var errs []error
	for s := range s.all() {
		if s.Ref == "" {
			continue
		}
		if target := d.resolve(s); target == nil || target.Ref != "" {
			errs = append(errs, nowhere(where, s.Ref))
		}
	}
	return errors.Join(errs...)
}

func nowhere(where, ref string) error { return fmt.Errorf("%s: %q leads nowhere", where, ref) }
