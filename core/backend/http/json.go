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

// Prepare compiles the decoder of T, which otherwise the first answer of that
// type waits for: 6 ms for a small one. It is for the start of a program.
func Prepare[T any]() error {
	if err := sonic.Pretouch(reflect.TypeFor[T]()); err != nil {
		return fmt.Errorf("prepare %v: %w", reflect.TypeFor[T](), err)
	}
	return nil
}

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
	if len(body) < 16 && strings.TrimSpace(body) == "null" {
		return errEmpty
	}
	how := codec
	if r.apart {
		how = apart
	}
	if err := how.UnmarshalFromString(body, r.value); err != nil {
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
