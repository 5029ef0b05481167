package thrift_test

import (
	"context"
	"errors"
	"testing"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/fault"
)

// FuzzResult: whatever the result in an answer holds, a call ends with a value or a fault.
func FuzzResult(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x08\x00\x01a\x00", "\x08\x00\xff\xff\xff\xff\x07a", "\x19\xf8\xff\xff\xff\xff\x07", "\x1c\x1c\x1c", "\x1b\x01\x88",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	results := make(chan string, 1)
	exceptions := make(chan bool, 1)
	s := replies(f, func(_ int, a asked) (string, bool) {
		kind := lib.REPLY
		if <-exceptions {
			kind = lib.EXCEPTION
		}
		result := <-results
		return a.message(method, kind, func(to lib.TProtocol) error { _, err := to.Transport().Write([]byte(result)); return err }), true
	})
	client := clientOf(f, s.address)
	f.Fuzz(func(t *testing.T, result string, exception bool) {
		exceptions <- exception
		results <- result
		ends(t, client)
	})
}

// FuzzFrame: whatever a server sends, a call ends with a value or a fault.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x00\x00\x00\x00", "\x00\x00\x00\x01\x82", "\xff\xff\xff\xff", framed("\x82\x41\x01\x03say\x00"), framed("\x80\x01\x00\x02"),
		asked{sequence: 7}.answer("a"), "HTTP/1.1 200 OK\r\n\r\n",
	} {
		f.Add(seed)
	}
	frames := make(chan string, 1)
	s := replies(f, func(int, asked) (string, bool) { return <-frames, false })
	client := newClient(f, thrift.Options{Instances: []string{"thrift://" + s.address}, MaxMessage: 1 << 16})
	f.Fuzz(func(t *testing.T, frame string) {
		frames <- frame
		ends(t, client)
	})
}

func ends(t *testing.T, client *thrift.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := say(ctx, client, "hello")
	var failure *fault.Error
	if err != nil && !errors.As(err, &failure) {
		t.Errorf("%v is no fault", err)
	}
}
