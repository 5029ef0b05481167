// Package payload reads the bodies that backends answer with, whichever protocol brings
// them: JSON in UTF-8, decoded by sonic.
package payload

import (
	"errors"
	"fmt"
	"mime"
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

// ErrEmpty is a body that says nothing.
var ErrEmpty = errors.New("the answer has no body")

// Decode reads a body into what value points to. Unknown fields are ignored. The
// strings of the value share the body. The error quotes nothing of it.
func Decode(body string, value any) error { return decode(codec, body, value) }

// DecodeApart is [Decode] into a value that keeps nothing of the body.
func DecodeApart(body string, value any) error { return decode(apart, body, value) }

func decode(how sonic.API, body string, value any) error {
	if len(body) < 16 && nothing(body) {
		return ErrEmpty
	}
	if err := how.UnmarshalFromString(body, value); err != nil {
		return withoutText(err)
	}
	return nil
}

// nothing reports a body without a value in it.
func nothing(body string) bool {
	text := strings.TrimSpace(body)
	return text == "" || text == "null"
}

// Encode returns a value as JSON.
func Encode(value any) ([]byte, error) {
	body, err := codec.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return body, nil
}

// Valid reports whether a body is JSON.
func Valid(body []byte) bool { return codec.Valid(body) }

// Prepare compiles the decoder of T, which otherwise the first answer of that
// type waits for: 6 ms for a small one. It is for the start of a program.
func Prepare[T any]() error {
	if err := sonic.Pretouch(reflect.TypeFor[T]()); err != nil {
		return fmt.Errorf("prepare %v: %w", reflect.TypeFor[T](), err)
	}
	return nil
}

// IsJSON reports whether a content type is JSON in UTF-8. It has the two common
// spellings first; the rest costs an allocation.
func IsJSON(contentType string) bool {
	switch contentType {
	case "application/json", "application/json; charset=utf-8":
		return true
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	charset, given := params["charset"]
	if given && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
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
