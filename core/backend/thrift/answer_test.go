package thrift_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/fault"
)

// checkFault holds an error to the table of the package comment.
func checkFault(t *testing.T, err error, address string, code fault.Code, reason fault.Reason, refused bool) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason || errors.Is(err, fault.ErrRefused) != refused {
		t.Errorf("got %v (%v, %v, refused: %v), want %v, %v, %v",
			err, fault.CodeOf(err), fault.ReasonOf(err), errors.Is(err, fault.ErrRefused), code, reason, refused)
	}
	if err != nil && !strings.Contains(err.Error(), "orders at "+address) {
		t.Errorf("%v does not say who failed", err)
	}
}

func TestExceptions(t *testing.T) {
	const (
		unavailable = fault.Unavailable
		bad         = fault.BadAnswer
	)
	for kind, code := range map[int32]fault.Code{
		lib.UNKNOWN_APPLICATION_EXCEPTION: unavailable, lib.UNKNOWN_METHOD: bad, lib.INVALID_MESSAGE_TYPE_EXCEPTION: bad,
		lib.WRONG_METHOD_NAME: bad, lib.BAD_SEQUENCE_ID: bad, lib.MISSING_RESULT: unavailable, lib.INTERNAL_ERROR: unavailable,
		lib.PROTOCOL_ERROR: bad, lib.INVALID_TRANSFORM: bad, lib.INVALID_PROTOCOL: bad, lib.UNSUPPORTED_CLIENT_TYPE: bad,
		lib.VALIDATION_FAILED: bad, 99: unavailable, -1: unavailable,
	} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			s := replies(t, func(_ int, a asked) (string, bool) { return a.exception(kind, strings.Repeat("x", 5000)), true })
			client := clientOf(t, s.address)
			for range 3 {
				_, err := say(t.Context(), client, "a")
				checkFault(t, err, s.address, code, fault.ReasonError, code == bad)
				if n := strings.Count(err.Error(), "x"); n > 210 {
					t.Errorf("the cause quotes %d bytes", n)
				}
			}
			if s.conns.Load() != 1 {
				t.Errorf("%d connections", s.conns.Load())
			}
		})
	}
}

const limit = 200

// fitting returns words whose answer has a frame of so many bytes.
func fitting(a asked, size int) string {
	const some = limit - 50 // their length takes as many bytes as that of what fits
	bare := len(a.answer(strings.Repeat("x", some))) - 4 - some
	return strings.Repeat("x", size-bare)
}

func TestAnswers(t *testing.T) {
	const (
		ok          = fault.OK
		bad         = fault.BadAnswer
		unavailable = fault.Unavailable
	)
	stop := "\x00"
	value := "\x08\x00\x01a" // a string in field 0, its id in the long form
	cases := []struct {
		name  string
		reply func(a asked) string
		code  fault.Code
	}{
		{"an answer", func(a asked) string { return a.answer("a") }, ok},
		{"unknown fields", func(a asked) string { return a.raw(value + "\x15\x0e" + "\x1b\x00" + stop) }, ok},
		{"at the limit", func(a asked) string { return a.answer(fitting(a, limit)) }, ok},
		{"over the limit", func(a asked) string { return a.answer(fitting(a, limit+1)) }, bad},
		{"over the limit by its word", func(asked) string { return "\x7f\xff\xff\xff" }, bad},
		{"of negative size", func(asked) string { return "\xff\xff\xff\xff" }, bad},
		{"empty", func(asked) string { return framed("") }, bad},
		{"without the required field", func(a asked) string { return a.raw(stop) }, bad},
		{"the required field of another type", func(a asked) string { return a.raw("\x05\x00\x02" + stop) }, bad},
		{"a string longer than the frame", func(a asked) string { return a.raw("\x08\x00\xff\xff\xff\xff\x07a") }, bad},
		{"a negative length", func(a asked) string { return a.raw("\x08\x00\xff\xff\xff\xff\x0fa") }, bad},
		{"a huge list", func(a asked) string { return a.raw(value + "\x19\xf8\xff\xff\xff\xff\x07") }, bad},
		{"a huge map", func(a asked) string { return a.raw(value + "\x1b\xff\xff\xff\xff\x07\x88") }, bad},
		{"nested", func(a asked) string { return a.raw(value + strings.Repeat("\x1c", 50) + strings.Repeat(stop, 51)) }, ok},
		{"nested lists", func(a asked) string { return a.raw(value + "\x19" + strings.Repeat("\x19", 50) + "\x03" + stop) }, ok},
		{"deeply nested", func(a asked) string { return a.raw(value + strings.Repeat("\x1c", 80) + strings.Repeat(stop, 81)) }, bad},
		{"deeply nested lists", func(a asked) string { return a.raw(value + "\x19" + strings.Repeat("\x19", 80) + "\x03" + stop) }, bad},
		{"an unknown type", func(a asked) string { return a.raw("\x1e" + stop) }, bad},
		{"no end of the struct", func(a asked) string { return a.raw(value) }, bad},
		{"a rest", func(a asked) string { return a.raw(value + stop + "evil") }, bad},
		{"another call", func(a asked) string { return asked{sequence: a.sequence + 1}.answer("evil") }, bad},
		{"an exception to another call", func(a asked) string { return asked{sequence: a.sequence + 1}.exception(lib.INTERNAL_ERROR, "") }, bad},
		{"another method", func(a asked) string {
			return a.message("sing", lib.REPLY, func(to lib.TProtocol) error { return (&text{value: "evil"}).Write(t.Context(), to) })
		}, bad},
		{"a call", func(a asked) string {
			return a.message(method, lib.CALL, func(to lib.TProtocol) error { return (&text{value: "evil"}).Write(t.Context(), to) })
		}, bad},
		{"a broken exception", func(a asked) string {
			return a.message(method, lib.EXCEPTION, func(lib.TProtocol) error { return nil })
		}, bad},
		{"the binary protocol", func(asked) string { return framed("\x80\x01\x00\x02\x00\x00\x00\x03say\x00\x00\x00\x01\x00") }, bad},
		{"another version", func(asked) string { return framed("\x82\x42\x01\x03say\x00") }, bad},
		{"HTTP", func(asked) string { return "HTTP/1.1 400 Bad Request\r\n\r\n" }, bad},
		{"garbage in a frame", func(asked) string { return framed(strings.Repeat("\xff", limit)) }, bad},
		{"cut short", func(a asked) string { return strings.TrimSuffix(a.answer("abc"), "c\x00") }, bad},
		{"only its size", func(asked) string { return "\x00\x00\x00\x10" }, bad},
		{"half its size", func(asked) string { return "\x00\x00" }, unavailable},
		{"nothing", func(asked) string { return "" }, unavailable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := replies(t, func(_ int, a asked) (string, bool) { return c.reply(a), false })
			client := newClient(t, thrift.Options{Instances: []string{"thrift://" + s.address}, MaxMessage: limit})
			got, err := say(t.Context(), client, "hello")
			switch {
			case c.code == ok && (err != nil || got == ""):
				t.Errorf("got %q, %v", got, err)
			case c.code == bad:
				checkFault(t, err, s.address, bad, fault.ReasonInvalid, false)
			case c.code == unavailable:
				checkFault(t, err, s.address, unavailable, fault.ReasonError, false)
			}
		})
	}
}
