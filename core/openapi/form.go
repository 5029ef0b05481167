package openapi

import "slices"

// form is a schema as a client sees it: without references, and with null apart.
type form struct {
	schema *schema
	kind   kind
	null   bool
}

// kind is what a value is to a client, in a word for people.
type kind string

const (
	anything kind = "anything"
	object   kind = "object"
	mapping  kind = "map"
	list     kind = "list"
	textual  kind = "string"
	moment   kind = "date-time"
	number   kind = "number"
	whole    kind = "integer"
)

// holds reports whether whoever reads values of a kind can read those of another.
func (k kind) holds(other kind) bool {
	switch k {
	case anything:
		return true
	case number:
		return other == whole
	case textual:
		return other == moment
	default:
		return false
	}
}

func (d *document) form(s *schema) form {
	f := form{schema: d.plain(s)}
	if len(f.schema.AnyOf) > 0 {
		f.null = true // that is what it is written for
		f.schema = d.plain(f.schema.AnyOf[0])
	}
	f.null = f.null || slices.Contains(f.schema.Type, nullType)
	f.kind = f.schema.kind()
	return f
}

// plain follows a reference. What is not there, in a text that somebody has
// changed, is anything.
func (d *document) plain(s *schema) *schema {
	if s == nil {
		return &schema{}
	}
	return d.resolve(s)
}

func (s *schema) kind() kind {
	switch {
	case len(s.Type) == 0:
		return anything
	case s.Values != nil:
		return mapping
	case s.Format == "date-time":
		return moment
	case s.Type[0] == "array":
		return list
	}
	return kind(s.Type[0])
}
