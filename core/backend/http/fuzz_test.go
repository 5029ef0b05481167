package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

type tree struct {
	ID       string           `json:"id"`
	Children []tree           `json:"children"`
	More     map[string]*tree `json:"more"`
	Any      any              `json:"any"`
	Number   int              `json:"number"`
}

// FuzzBody: whatever a body holds, it is decoded into valid UTF-8 or refused.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a"}`, `{"id":"a`, "", "null", "\xff", `{"id":"` + "\xff\xfe" + `"}`, `{"id":"\ud800"}`, `{"any":1e999}`,
		`{"number":99999999999999999999}`, strings.Repeat("[", 100000), strings.Repeat(`{"children":[`, 50000),
		`{"any":` + strings.Repeat("[", 100000), `{"x":` + strings.Repeat(`{"x":`, 100000),
		strings.Repeat(`{"more":{"a":`, 5000) + "{}" + strings.Repeat("}}", 5000), `{"id":"` + strings.Repeat("x", 1<<20) + `"}`, `{"id":"a"}{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var value tree
		if err := http.Unmarshal(body, &value); err != nil {
			return
		}
		page, err := json.Marshal(value)
		if err != nil || !json.Valid(page) || !utf8.ValidString(value.ID) {
			t.Errorf("%q became %+v: %v", body, value, err)
		}
	})
}

// FuzzAnswer: whatever a server sends, a call ends with a value or a fault.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		okJSON(`{"id":"a"}`), chunked(`{"id":"a"}`, 3), status("404 Not Found"), "", "\r\n\r\n", "HTTP/1.1", "HTTP/9.9 200 OK\r\n\r\n",
		"HTTP/1.1 200\r\n\r\n", strings.Repeat("x", 20000), strings.Replace(chunked("{}", 9), "2\r\n", "ffffffffffffffff\r\n", 1),
		strings.Replace(chunked("{}", 9), "0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n", 1), okJSON(`{}`, "Cache-Control: max-age=\"", "Age: -"),
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", okJSON("{}", " folded: a\r\n b"),
	} {
		f.Add([]byte(seed))
	}
	answers := make(chan []byte, 1)
	address := serve(f, func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			return
		}
		_, _ = io.Copy(conn, bytes.NewReader(<-answers)) // the client may have had enough
	})
	f.Cleanup(func() { close(answers) })
	f.Fuzz(func(t *testing.T, answer []byte) {
		// A client each: the server ends its connections unannounced.
		client := newClient(t, http.Options{Instances: []string{"http://" + address}, MaxBody: 1 << 16})
		answers <- answer
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ctx, _ = withCall(ctx)
		_, err := http.PostForm[tree](ctx, client, "/p", nil)
		var failure *fault.Error
		if err != nil && !errors.As(err, &failure) {
			t.Errorf("%q: %v is no fault", answer, err)
		}
		select {
		case <-answers: // it was sent on a connection that did not come to read it
		default:
		}
	})
}
