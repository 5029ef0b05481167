package http_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

type product struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

const limit = 100

// padded returns JSON of exactly n bytes.
func padded(n int) string {
	const frame = `{"id":""}`
	return `{"id":"` + strings.Repeat("x", n-len(frame)) + `"}`
}

func chunked(body string, size int) string {
	out := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	for len(body) > 0 {
		n := min(size, len(body))
		out += fmt.Sprintf("%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return out + "0\r\n\r\n"
}

func status(line string) string {
	return "HTTP/1.1 " + line + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
}

func typed(contentType string) string {
	return strings.Replace(okJSON(`{"id":"a"}`), "application/json", contentType, 1)
}

func TestAnswers(t *testing.T) {
	const (
		ok          = fault.OK
		notFound    = fault.NotFound
		bad         = fault.BadAnswer
		unavailable = fault.Unavailable
	)
	cases := []struct {
		name, raw string
		code      fault.Code
		reason    fault.Reason
	}{
		{"plain", okJSON(`{"id":"a"}`), ok, fault.None},
		{"unknown fields", okJSON(`{"id":"a","x":{"y":[1,null,{}]}}`), ok, fault.None},
		{"charset", typed("application/json;charset=UTF-8"), ok, fault.None},
		{"charset in upper case and quotes", typed(`Application/JSON; Charset="utf-8"`), ok, fault.None},
		{"a json dialect", typed("application/problem+json"), ok, fault.None},
		{"interim answers first", "HTTP/1.1 103 Early Hints\r\n\r\n" + okJSON(`{"id":"a"}`), ok, fault.None},
		{"201", strings.Replace(okJSON(`{"id":"a"}`), "200 OK", "201 Created", 1), ok, fault.None},
		{"identity", okJSON(`{"id":"a"}`, "Content-Encoding: identity"), ok, fault.None},
		{"until the end, HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"id":"a"}`, ok, fault.None},
		{"chunked", chunked(`{"id":"a"}`, 3), ok, fault.None},
		{"at the limit", okJSON(padded(limit)), ok, fault.None},
		{"chunked at the limit", chunked(padded(limit), 7), ok, fault.None},
		{"over the limit", okJSON(padded(limit + 1)), bad, fault.ReasonInvalid},
		{"over the limit by its word", strings.Replace(okJSON(""), "Length: 0", "Length: 99999999999", 1), bad, fault.ReasonInvalid},
		{"chunked over the limit", chunked(padded(limit+1), 7), bad, fault.ReasonInvalid},
		{"one chunk over the limit", chunked(padded(limit+1), 1000), bad, fault.ReasonInvalid},
		{"until the end over the limit", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + padded(limit+1), bad, fault.ReasonInvalid},
		{"truncated", strings.TrimSuffix(okJSON(`{"id":"a"}`), `"}`), bad, fault.ReasonInvalid},
		{"chunked, truncated", strings.TrimSuffix(chunked(`{"id":"a"}`, 3), "0\r\n\r\n"), bad, fault.ReasonInvalid},
		{"chunked, garbled", strings.Replace(chunked(`{"id":"a"}`, 3), "3\r\n", "zz\r\n", 1), bad, fault.ReasonInvalid},
		{"until the end, truncated", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"id":"a`, bad, fault.ReasonInvalid},
		{"no JSON", okJSON(`<html>`), bad, fault.ReasonInvalid},
		{"null", okJSON(" null\n"), bad, fault.ReasonInvalid},
		{"another type", okJSON(`{"id":7}`), bad, fault.ReasonInvalid},
		{"more after the value", okJSON(`{"id":"a"}{}`), bad, fault.ReasonInvalid},
		{"a control character", okJSON("{\"id\":\"a\nb\"}"), bad, fault.ReasonInvalid},
		{"empty", okJSON(""), bad, fault.ReasonInvalid},
		{"chunked, empty", chunked("", 1), bad, fault.ReasonInvalid},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", bad, fault.ReasonInvalid},
		{"205", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", bad, fault.ReasonInvalid},
		{"another content type", typed("text/html"), bad, fault.ReasonInvalid},
		{"no content type", strings.Replace(okJSON(`{"id":"a"}`), "Content-Type", "X-Type", 1), bad, fault.ReasonInvalid},
		{"another charset", typed("application/json; charset=latin1"), bad, fault.ReasonInvalid},
		{"a broken content type", typed("application/json; charset"), bad, fault.ReasonInvalid},
		{"gzip", okJSON(`{"id":"a"}`, "Content-Encoding: gzip"), bad, fault.ReasonInvalid},
		{"a long header", okJSON(`{"id":"a"}`, "X-Long: "+strings.Repeat("x", 9000)), bad, fault.ReasonInvalid},
		{"many headers", okJSON(`{"id":"a"}`, strings.Repeat("X-A: b\r\n", 2000)+"X-B: c"), bad, fault.ReasonInvalid},
		{"no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", bad, fault.ReasonInvalid},
		{"a status that is none", status("2x0 OK"), bad, fault.ReasonInvalid},
		{"two lengths", okJSON(`{"id":"a"}`, "Content-Length: 5"), bad, fault.ReasonInvalid},
		{"a negative length", strings.Replace(okJSON(""), "Length: 0", "Length: -1", 1), bad, fault.ReasonInvalid},
		{"interim answers for ever", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 500), bad, fault.ReasonInvalid},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", bad, fault.ReasonInvalid},
		{"302", status("302 Found"), bad, fault.ReasonInvalid},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", bad, fault.ReasonInvalid},
		{"400", status("400 Bad Request"), bad, fault.ReasonError},
		{"401", status("401 Unauthorized"), bad, fault.ReasonError},
		{"403", status("403 Forbidden"), bad, fault.ReasonError},
		{"404", status("404 Not Found"), notFound, fault.ReasonNotFound},
		{"404 in HTML", strings.Replace(status("404 Not Found"), "application/json", "text/html", 1), notFound, fault.ReasonNotFound},
		{"404 of another length", strings.Replace(status("404 Not Found"), "Length: 2", "Length: 999999", 1), notFound, fault.ReasonNotFound},
		{"408", status("408 Request Timeout"), unavailable, fault.ReasonError},
		{"410", status("410 Gone"), bad, fault.ReasonError},
		{"429", status("429 Too Many Requests"), unavailable, fault.ReasonError},
		{"500", status("500 Internal Server Error"), unavailable, fault.ReasonError},
		{"503", status("503 Service Unavailable"), unavailable, fault.ReasonError},
		{"599", status("599 Whatever"), unavailable, fault.ReasonError},
		{"nothing", "", unavailable, fault.ReasonError},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-", unavailable, fault.ReasonError},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			address := always(t, c.raw)
			// A client each: the server ends every connection unannounced, and a
			// form that meets such an end is not sent again.
			options := http.Options{Instances: []string{"http://" + address}, MaxBody: limit}
			get, getErr := http.GetJSON[product](t.Context(), newClient(t, options), "/p")
			post, postErr := http.PostForm[product](t.Context(), newClient(t, options), "/p", url.Values{"a": {"b"}})
			checkAnswer(t, get, getErr, c.code, c.reason)
			checkAnswer(t, post, postErr, c.code, c.reason)
		})
	}
}

func checkAnswer(t *testing.T, got product, err error, code fault.Code, reason fault.Reason) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason {
		t.Errorf("got %v, want %v (%v)", err, code, reason)
	}
	if err != nil && got != (product{}) {
		t.Errorf("an error and a value: %+v", got)
	}
	if err == nil && got.ID == "" {
		t.Error("an answer without its value")
	}
}

func TestInvalidUTF8IsReplaced(t *testing.T) {
	address := always(t, okJSON("{\"id\":\"a\xffb\",\"name\":\"\\ud800\"}"))
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	got, err := http.GetJSON[product](t.Context(), client, "/p")
	if want := (product{ID: "a\ufffdb", Name: "\ufffd"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// Strings of an answer must outlive the buffers that it was read with.
func TestAnswersKeepTheirOwnBytes(t *testing.T) {
	for _, size := range []int{50, 7000, 8192, 8193, 40000} {
		address := replies(t, answerWithPath(size))
		client := newClient(t, http.Options{Instances: []string{"http://" + address}})
		var kept []product
		for i := range 20 {
			got, err := http.GetJSON[product](t.Context(), client, fmt.Sprintf("/%02d", i))
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, got)
		}
		for i, p := range kept {
			if want := fmt.Sprintf("/%02d", i); p.ID != want || len(p.Name) != size || strings.Trim(p.Name, want[2:]) != "" {
				t.Errorf("size %d: answer %d has changed: id %q, name %.20q", size, i, p.ID, p.Name)
			}
		}
	}
}

func TestErrorsQuoteNoBody(t *testing.T) {
	for _, raw := range []string{
		okJSON(`{"id":"hunter2`), okJSON(`{"id":{"hunter2":1}}`), "HTTP/1.1 hunter2\r\n\r\n", okJSON(`hunter2`),
		"HTTP/1.1 200 OK\r\nhunter2\r\n\r\n", status("500 hunter2"),
	} {
		client := newClient(t, http.Options{Instances: []string{"http://" + always(t, raw)}})
		_, err := http.GetJSON[product](t.Context(), client, "/p")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", raw, err)
		}
	}
}
