package adapter

import (
	"errors"
	"path"
	"reflect"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// Live returns the endpoint of values that keep coming: follow says what a request
// follows, and shape what a screen sees of each value. Q is as of [Page]; U is what an
// event is encoded from, as JSON.
//
// A value has its shape once, whoever follows: so shape has the value and nothing of a
// request, where follow has the request and no value. Neither may block.
func Live[Q, T, U any](path string, follow func(*Request, Q) stream.Feed[T], shape func(T) U) Endpoint {
	decoder, err := NewQuery[Q]()
	shaped := stream.NewShape(func(value T) ([]byte, error) {
		text, err := encode(shape(value))
		if err != nil {
			return nil, &fault.Error{Code: fault.Internal, Detail: "the event cannot be encoded", Cause: err}
		}
		return text, nil
	})
	return Endpoint{
		Path: path, Parameters: decoder.Parameters(), Page: reflect.TypeFor[U](), err: errors.Join(err, unencodable[U]("event")),
		follow: func(r *Request) (stream.Feed[[]byte], error) {
			query, err := decoder.Decode(r.RawQuery)
			if err != nil {
				return stream.Feed[[]byte]{}, err
			}
			feed, err := declare(r, query, follow)
			return shaped.Of(feed), err
		},
	}
}

// OverrideLive is [Live] for a path that the version builds on has.
func OverrideLive[Q, T, U any](path string, follow func(*Request, Q) stream.Feed[T], shape func(T) U) Endpoint {
	e := Live(path, follow, shape)
	e.overrides = true
	return e
}

// Live reports whether the endpoint is one of values that keep coming: it is followed,
// not served.
func (e Endpoint) Live() bool { return e.follow != nil }

// Follow decodes the query and returns what the request follows, each value encoded. Its
// errors carry a code of package fault, as do those of following. Safe for concurrent use.
func (e Endpoint) Follow(r *Request) (stream.Feed[[]byte], error) { return e.follow(r) }

// Event returns the name of an event: the last element of the path.
func (e Endpoint) Event() string { return path.Base(e.Path) }
