package adapter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/bytedance/sonic"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// Endpoint is a path and the page behind it, or the values that keep coming there.
type Endpoint struct {
	Path       string       // matches (/[a-z][a-z0-9_]*)+
	Parameters []Parameter  // of the query; nil of one that is made elsewhere
	Page       reflect.Type // what the page, or an event of a live one, is encoded from; nil likewise

	overrides bool
	serve     func(ctx context.Context, r *Request, grown func(body []byte)) (Answer, error)
	follow    func(r *Request) (stream.Feed[[]byte], error) // of a live one, which has no serve
	err       error                                         // why it cannot work
}

// Page returns the endpoint of a page function. Q is a struct of strings, whose
// tags say how the request's query becomes one (see [Query]); P is what the
// page is encoded from, as JSON.
func Page[Q, P any](path string, page func(*Request, Q) stream.Assembly[P]) Endpoint {
	decoder, err := NewQuery[Q]()
	return Endpoint{
		Path: path, Parameters: decoder.Parameters(), Page: reflect.TypeFor[P](), err: errors.Join(err, unencodable[P]("page")),
		serve: func(ctx context.Context, r *Request, grown func([]byte)) (Answer, error) {
			return serve(ctx, r, decoder, page, grown)
		},
	}
}

// unencodable says why a type of pages or events cannot be encoded, if it cannot.
func unencodable[P any](what string) error {
	var empty P
	_, err := encode(empty)
	if err = cmp.Or(encodable(reflect.TypeFor[P]()), err); err != nil {
		return fmt.Errorf("the %s type %T: %w", what, empty, err)
	}
	return nil
}

// Override is [Page] for a path that the version builds on has: this page takes
// the place of that one.
func Override[Q, P any](path string, page func(*Request, Q) stream.Assembly[P]) Endpoint {
	e := Page(path, page)
	e.overrides = true
	return e
}

// Serve answers one request: it decodes the query, declares the page, runs it
// and encodes it. Its errors carry a code of package fault. The ctx is that of
// the request's [stream.Scope]. Safe for concurrent use.
func (e Endpoint) Serve(ctx context.Context, r *Request) (Answer, error) { return e.serve(ctx, r, nil) }

// ServeInParts is Serve of a page that is wanted while it grows: grown is told the page
// so far, encoded, whenever more of it has come, from when all is there that it needs
// (see [stream.Assembly.RunInParts]); nil is not. The whole page is returned. Of a page
// that is made elsewhere it is told nothing.
func (e Endpoint) ServeInParts(ctx context.Context, r *Request, grown func(body []byte)) (Answer, error) {
	return e.serve(ctx, r, grown)
}

// Name returns the path without its first slash, as the configuration names the page.
func (e Endpoint) Name() string { return strings.TrimPrefix(e.Path, "/") }

func (e Endpoint) check() error {
	switch {
	case e.serve == nil && e.follow == nil || !validPath.MatchString(e.Path):
		return fmt.Errorf("%q: a path is of the form /name", e.Path)
	case e.err != nil:
		return fmt.Errorf("%s: %w", e.Path, e.err)
	}
	return nil
}

func serve[Q, P any](
	ctx context.Context, r *Request, decoder *Query[Q], page func(*Request, Q) stream.Assembly[P], grown func([]byte),
) (answer Answer, err error) {
	query, err := decoder.Decode(r.RawQuery)
	if err != nil {
		return answer, err
	}
	assembly, err := declare(r, query, page)
	if err != nil {
		return answer, err
	}
	value, err := run(ctx, assembly, grown)
	if err != nil {
		return answer, err
	}
	body, err := encode(value)
	if err != nil {
		return answer, &fault.Error{Code: fault.Internal, Detail: "the page cannot be encoded", Cause: err}
	}
	return Answer{ContentType: "application/json", Body: body}, nil
}

// run runs the page. What of a growing one cannot be encoded is not told: that the whole
// one cannot will be.
func run[P any](ctx context.Context, a stream.Assembly[P], grown func([]byte)) (P, error) {
	if grown == nil {
		return a.Run(ctx)
	}
	return a.RunInParts(ctx, func(page P) {
		if body, err := encode(page); err == nil {
			grown(body)
		}
	})
}

// declare calls a page function, or one that says what is followed; a panic in it is an
// error.
func declare[Q, D any](r *Request, query Q, page func(*Request, Q) D) (declared D, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	return page(r, query), nil
}

// pages encodes pages: keys of maps are sorted, so that equal pages are equal
// bytes; a list or a map that is there is never null; nothing is escaped for HTML,
// because a page is never a part of one.
var pages = sonic.Config{SortMapKeys: true, CompactMarshaler: true, ValidateString: true, NoNullSliceOrMap: true}.Froze()

// encode returns a page as JSON; a panic in a type's own encoder is an error.
func encode(page any) (body []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	return pages.Marshal(page)
}
