// Package openapi describes a version of an adapter as an OpenAPI 3.1 document:
// what its pages, and what keeps coming, are asked for with, and what every field
// of them can be. It is made of the endpoints' own types, so it cannot say what
// the pages do not. [Diff] tells of two documents what a client of the old one
// would break on.
//
// The schemas are made here, because they have to be what package adapter's
// encoder writes, and no library's are: a nil slice is null, unless the field is
// left out when it is empty, and then it is never null. Of those that know
// omitzero, google/jsonschema-go has no references and says null in both cases,
// invopop/jsonschema says it in none without a tag, and huma cannot say it of a
// reference at all and brings three web frameworks. The price is that a type
// which encodes itself is described as anything, unless it is a time or a text.
package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

// dialect is the version of OpenAPI that documents are in.
const dialect = "3.1.0"

// Options is what a document tells beside the version's own types.
type Options struct {
	Header string        // by which a device names its class, such as X-Device-Type
	Class  devices.Class // of the device; it may be another one than the adapter's
}

// Document describes one version of an adapter. Nothing changes it.
type Document struct{ document }

// New describes a version. It returns an error that names each field of a page
// that has no one meaning in JSON.
func New(v *adapter.Version, o Options) (*Document, error) {
	s := &shapes{}
	paths := make(map[string]path, len(v.Paths()))
	for _, at := range v.Paths() {
		e, _ := v.Endpoint(at)
		paths[at] = path{Get: newOperation(v, e, s.schema(e.Page))}
	}
	codes := answered()
	for _, at := range v.FeedPaths() {
		e, _ := v.Feed(at)
		paths[at] = path{Get: newLiveOperation(v, e, o, s.schema(e.Page))}
		codes = liveAnswered()
	}
	problems := newProblems(s, codes)
	schemas, err := s.components()
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", v, err)
	}
	return &Document{document{
		OpenAPI: dialect,
		Info: info{
			Title: "Pages for " + string(o.Class), Version: v.Name,
			Description: "What " + v.String() + " answers. An answer may gain fields: a client ignores those that it does not know.",
		},
		Paths: paths,
		Components: components{
			Schemas: schemas, Parameters: newSharedParameters(o), Headers: newHeaders(v), Responses: problems,
		},
	}}, nil
}

// JSON returns the document as text, which is the same for equal versions.
func (d *Document) JSON() []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(d.document) // strings, numbers, lists and maps of them always encode
	return text.Bytes()
}

// Read reads a document that [Document.JSON] wrote, and refuses any other: what it
// does not know, [Diff] could not compare.
func Read(text []byte) (*Document, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	d := &Document{}
	if err := decoder.Decode(&d.document); err != nil {
		return nil, fmt.Errorf("not a document of this program: %w", err)
	}
	switch {
	case decoder.More():
		return nil, errors.New("not a document of this program: something follows it")
	case !strings.HasPrefix(d.OpenAPI, "3.1."):
		return nil, fmt.Errorf("openapi: must be 3.1, not %q", d.OpenAPI)
	case len(d.Paths) == 0:
		return nil, errors.New("paths: the document has none")
	}
	if err := d.resolvable(); err != nil {
		return nil, err
	}
	return d, nil
}
