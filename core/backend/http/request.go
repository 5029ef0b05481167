package http

import (
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// request is what one call asks, whichever instance it asks.
type request struct {
	target string
	form   string        // the body of a POST
	once   bool          // a POST: never sent twice
	value  any           // a pointer, to what the answer is decoded into
	apart  bool          // the value keeps nothing of the body
	header []Header      // lines beside those of every call
	told   string        // the line of the answer's header that is taken with it
	left   time.Duration // until the context's deadline; 0: it has none
	began  time.Time
	call   *report.Call // nil: the call belongs to no record

	fetched *Fetched // what the answer is taken into as it came, instead of value; nil: it is decoded
}

func fixedHeader(host string) string {
	return " HTTP/1.1\r\nHost: " + host + "\r\nAccept: application/json\r\nUser-Agent: facet\r\n"
}

// append writes the whole request. What it sends is all that a backend learns:
// nothing of the client's own headers gets here.
func (r request) append(dst []byte, in *instance) []byte {
	if r.once {
		dst = append(dst, "POST "...)
	} else {
		dst = append(dst, "GET "...)
	}
	dst = append(dst, in.prefix...)
	dst = append(dst, r.target...)
	dst = append(dst, in.fixed...)
	dst = r.appendIdentity(dst)
	for _, h := range r.header {
		dst = append(dst, h.Name...)
		dst = append(dst, ": "...)
		dst = append(dst, h.Value...)
		dst = append(dst, "\r\n"...)
	}
	if r.left > 0 {
		dst = append(dst, "X-Request-Timeout-Ms: "...)
		dst = strconv.AppendInt(dst, r.left.Milliseconds(), 10)
		dst = append(dst, "\r\n"...)
	}
	if r.once {
		dst = append(dst, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.form)), 10)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	return append(dst, r.form...)
}

func (r request) appendIdentity(dst []byte) []byte {
	trace, id := r.call.Identity()
	dst = append(dst, "traceparent: "...)
	dst = trace.AppendTraceparent(dst)
	dst = append(dst, "\r\n"...)
	if validToken(id) {
		dst = append(dst, "X-Request-Id: "...)
		dst = append(dst, id...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// had is the time that the call was given.
func (r request) had() time.Duration {
	if r.left == 0 {
		return longest
	}
	return r.left
}
