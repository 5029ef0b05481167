package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/decoder"

	"github.com/facet-gateway/facet/core/fault"
)

// codec refuses unescaped control characters and replaces invalid UTF-8 with
// U+FFFD, as encoding/json does. Strings refer to the body, which is private
// to the value. It is never changed.
var codec = sonic.Config{ValidateString: true}.Froze()

// apart is codec for values that are kept apart: each string is a copy.
var apart = sonic.Config{ValidateString: true, CopyString: true}.Froze()

// GetJSON asks for target, an escaped path and query such as [Target] makes,
// and decodes the answer. Unknown fields are ignored; the strings of the value
// share one copy of the body. The request may be sent a second time, if a kept
// connection turns out to be closed. Attempts, bytes and caching go to the
// call that ctx belongs to. The package comment has the table of errors.
func GetJSON[T any](ctx context.Context, c *Client, target string) (T, error) {
	return decode[T](ctx, c, codec, request{target: target})
}

// GetList is [GetJSON] for an answer whose elements are remembered one by one: its
// strings share nothing, or else each element would keep the whole body.
func GetList[T any](ctx context.Context, c *Client, target string) (T, error) {
	return decode[T](ctx, c, apart, request{target: target})
}

// PostForm is [GetJSON] with a POST of form, which is sent at most once.
func PostForm[T any](ctx context.Context, c *Client, target string, form url.Values) (T, error) {
	return decode[T](ctx, c, codec, request{target: target, form: form.Encode(), once: true})
}

// Prepare compiles the decoder of T, which otherwise the first answer of that
// type waits for: 6 ms for a small one. It is for the start of a program.
func Prepare[T any]() error {
	if err := sonic.Pretouch(reflect.TypeFor[T]()); err != nil {
		return fmt.Errorf("prepare %v: %w", reflect.TypeFor[T](), err)
	}
	return nil
}

func decode[T any](ctx context.Context, c *Client, codec sonic.API, r request) (T, error) {
	value := new(T)
	body, err := c.do(ctx, r)
	if err != nil {
		return *new(T), err
	}
	if err := unmarshal(codec, body, value); err != nil {
		return *new(T), fault.Because(fault.ReasonInvalid, c.because(err))
	}
	return *value, nil
}

func unmarshal(codec sonic.API, body string, value any) error {
	if len(body) < 16 && strings.TrimSpace(body) == "null" {
		return errEmpty
	}
	if err := codec.UnmarshalFromString(body, value); err != nil {
		return withoutText(err)
	}
	return nil
}

// withoutText drops what a decoding error quotes: a body may hold what no log
// should.
func withoutText(err error) error {
	var syntax decoder.SyntaxError
	var mismatch *decoder.MismatchTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("the body is not JSON at byte %d: %s", syntax.Pos, syntax.Message())
	case errors.As(err, &mismatch):
		return fmt.Errorf("the body has another type at byte %d than %v", mismatch.Pos, mismatch.Type)
	}
	return errors.New("the body cannot be decoded")
}
