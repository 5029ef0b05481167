package http

import (
	"context"
	"net/url"

	"github.com/facet-gateway/facet/core/backend/payload"
)

// GetJSON asks for target, an escaped path and query such as [Target] makes,
// and decodes the answer. Unknown fields are ignored; the strings of the value
// share one copy of the body. The request may be sent a second time, if a kept
// connection turns out to be closed. Attempts, bytes and caching go to the
// call that ctx belongs to. The package comment has the table of errors.
func GetJSON[T any](ctx context.Context, c *Client, target string) (T, error) {
	return decode[T](ctx, c, request{target: target})
}

// GetList is [GetJSON] for an answer whose elements are remembered one by one: its
// strings share nothing, or else each element would keep the whole body. value is
// what to decode into, such as one with room for as many elements as were asked for.
func GetList[T any](ctx context.Context, c *Client, target string, value T) (T, error) {
	err := c.do(ctx, request{target: target, apart: true, value: &value})
	if err != nil {
		return *new(T), err
	}
	return value, nil
}

// PostForm is [GetJSON] with a POST of form, which is sent at most once.
func PostForm[T any](ctx context.Context, c *Client, target string, form url.Values) (T, error) {
	return decode[T](ctx, c, request{target: target, form: form.Encode(), once: true})
}

// Prepare compiles the decoder of T, see [payload.Prepare].
func Prepare[T any]() error { return payload.Prepare[T]() }

func decode[T any](ctx context.Context, c *Client, r request) (T, error) {
	value := new(T)
	r.value = value
	if err := c.do(ctx, r); err != nil {
		return *new(T), err
	}
	return *value, nil
}

// decode reads the value from a body.
func (r request) decode(body string) error {
	if r.apart {
		return payload.DecodeApart(body, r.value) //nolint:wrapcheck // it says all
	}
	return payload.Decode(body, r.value) //nolint:wrapcheck // it says all
}
