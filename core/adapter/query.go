package adapter

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// Query decodes the query string of a request into a struct Q. Each field of Q
// is an exported string with a tag that names its parameter and one that lists
// its checks:
//
//	type productQuery struct {
//		ID       string `query:"productid" check:"id,required"`
//		Postcode string `query:"postcode" check:"postcode"`
//	}
//
// Parameters without a field are ignored; one that is given twice is refused.
// Safe for concurrent use.
type Query[Q any] struct{ fields []field }

type field struct {
	index    int
	name     string // of the parameter
	required bool
	checks   []check
}

// check is one thing that a value must be.
type check struct {
	holds   func(string) bool
	must    string // completes "must be …"
	pattern string // the same as a regular expression, for documents; ECMA-262
}

// checks are the words that a check tag may use, beside "required".
func checks(word string) (check, bool) {
	switch word {
	case "id":
		return check{ValidID, "1 to 64 of A-Z, a-z, 0-9, _ and -", "^[A-Za-z0-9_-]{1,64}$"}, true
	case "postcode":
		return check{
			validPostcode, "2 to 10 letters, digits, spaces and hyphens, the first a letter or digit", "^[A-Za-z0-9][A-Za-z0-9 -]{1,9}$",
		}, true
	}
	return check{}, false
}

// maxFields is how many fields Decode can mark as seen in one word.
const maxFields = 64

// NewQuery reads the tags of Q. It returns an error that names each field that
// is not a string, has no parameter, shares one, or has an unknown check.
func NewQuery[Q any]() (*Query[Q], error) {
	t := reflect.TypeFor[Q]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("the query type %s is not a struct", t)
	}
	if t.NumField() > maxFields {
		return nil, fmt.Errorf("the query type %s has more than %d fields", t, maxFields)
	}
	q := &Query[Q]{}
	var errs []error
	for i := range t.NumField() {
		f, err := newField(t.Field(i), i)
		if err == nil && q.find(f.name) != nil {
			err = fmt.Errorf("two fields read the parameter %q", f.name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("query field %s.%s: %w", t, t.Field(i).Name, err))
		}
		q.fields = append(q.fields, f)
	}
	return q, errors.Join(errs...)
}

func newField(f reflect.StructField, index int) (field, error) {
	got := field{index: index, name: f.Tag.Get("query")}
	switch {
	case !f.IsExported() || f.Type.Kind() != reflect.String:
		return got, errors.New("must be an exported string")
	case got.name == "":
		return got, errors.New(`has no tag query:"name"`)
	}
	for word := range strings.SplitSeq(f.Tag.Get("check"), ",") {
		c, known := checks(word)
		switch {
		case word == "required":
			got.required = true
		case known:
			got.checks = append(got.checks, c)
		case word != "":
			return got, fmt.Errorf("unknown check %q; known are id, postcode, required", word)
		}
	}
	if len(got.checks) == 0 {
		return got, errors.New(`has no check on its content; known are id, postcode`)
	}
	return got, nil
}

// Parameter is what a query may say, for documents.
type Parameter struct {
	Name     string
	Required bool
	Must     string // completes "must be …"
	Pattern  string // the same as a regular expression (ECMA-262)
}

// Parameters returns the parameters that the query reads, in the order of the
// struct's fields; none if there was an error.
func (q *Query[Q]) Parameters() []Parameter {
	if q == nil {
		return nil
	}
	all := make([]Parameter, 0, len(q.fields))
	for _, f := range q.fields {
		p := Parameter{Name: f.name, Required: f.required}
		for _, c := range f.checks { // of several the last is told
			p.Must, p.Pattern = c.must, c.pattern
		}
		all = append(all, p)
	}
	return all
}

// Decode returns the query, or a fault of code invalid that names the first
// parameter at fault.
func (q *Query[Q]) Decode(raw string) (Q, error) {
	var query Q
	value := reflect.ValueOf(&query).Elem()
	var seen uint64
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		f, text, err := q.parse(pair)
		if err != nil {
			return query, err
		}
		if f == nil {
			continue
		}
		if seen&(1<<f.index) != 0 {
			return query, fault.InvalidField(f.name, "is given more than once")
		}
		seen |= 1 << f.index
		value.Field(f.index).SetString(text)
	}
	return query, q.verify(value)
}

// parse returns the field and the value of one pair; no field if none reads it.
func (q *Query[Q]) parse(pair string) (*field, string, error) {
	key, text, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(key)
	if err != nil {
		return nil, "", nil //nolint:nilerr // a parameter that cannot be named is one that nobody reads
	}
	f := q.find(name)
	if f == nil {
		return nil, "", nil
	}
	if text, err = url.QueryUnescape(text); err != nil {
		return f, "", fault.InvalidField(f.name, "is not percent-encoded correctly")
	}
	return f, text, nil
}

func (q *Query[Q]) find(name string) *field {
	for i := range q.fields {
		if q.fields[i].name == name {
			return &q.fields[i]
		}
	}
	return nil
}

func (q *Query[Q]) verify(value reflect.Value) error {
	for i := range q.fields {
		f := &q.fields[i]
		text := value.Field(f.index).String()
		if text == "" {
			if f.required {
				return fault.InvalidField(f.name, "is required")
			}
			continue
		}
		for _, c := range f.checks {
			if !c.holds(text) {
				return fault.InvalidField(f.name, "must be "+c.must)
			}
		}
	}
	return nil
}

const maxID = 64

// ValidID reports whether text can name a thing of the backend: 1 to 64 of
// A-Z, a-z, 0-9, "_" and "-".
func ValidID(text string) bool {
	for _, c := range []byte(text) {
		if !alphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return text != "" && len(text) <= maxID
}

func validPostcode(text string) bool {
	for _, c := range []byte(text) {
		if !alphanumeric(c) && c != ' ' && c != '-' {
			return false
		}
	}
	return len(text) >= 2 && len(text) <= 10 && alphanumeric(text[0])
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
