package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
)

// Fetch is a call whose answer is taken as it came.
type Fetch struct {
	Target string   // an escaped path and query, such as [Target] makes
	Header []Header // lines beside those of every call
	Told   string   // the line of the answer's header that is told; "": none
}

// Header is a line of a request's header. Both halves are visible ASCII.
type Header struct{ Name, Value string }

// Fetched is an answer as it came: a page, or a refusal with its problem. Nobody
// else has its body.
type Fetched struct {
	Status      int    // 2xx with JSON, or a 4xx that blames the request
	ContentType string // of the body
	Told        string // the line that was asked for; of several, as one (RFC 9110, section 5.3)
	Body        []byte
}

var errHeaderLine = errors.New("a line of the request's header is not visible ASCII")

// Get makes a call, and returns its answer undecoded; but a body of success is JSON, or
// it is a failure. So is what [GetJSON] calls one, but for a 4xx that blames the
// request and comes whole: that is an answer here, whatever is in it.
func (c *Client) Get(ctx context.Context, f Fetch) (Fetched, error) {
	for _, h := range f.Header {
		if !validToken(h.Name) || !validToken(h.Value) {
			return Fetched{}, fault.Because(fault.None, c.because(errHeaderLine))
		}
	}
	answer := &Fetched{}
	if err := c.do(ctx, request{target: f.Target, header: f.Header, told: f.Told, fetched: answer}); err != nil {
		return Fetched{}, err
	}
	return *answer, nil
}

// accept says from its header whether an answer is worth reading.
func (r request) accept(h *fasthttp.ResponseHeader) (fault.Reason, error) {
	reason, err := judge(h)
	if r.fetched == nil || err == nil {
		return reason, err
	}
	var status payload.Status
	if !errors.As(err, &status) || status != fasthttp.StatusNotFound && !status.Refused() {
		return reason, err
	}
	return fault.None, nil
}

// take keeps an answer.
func (r request) take(h *fasthttp.ResponseHeader, body []byte) error {
	*r.fetched = Fetched{
		Status: h.StatusCode(), ContentType: string(h.ContentType()), Body: bytes.Clone(body),
		Told: string(bytes.Join(h.PeekAll(r.told), []byte(", "))),
	}
	if r.fetched.Status < fasthttp.StatusBadRequest && !payload.Valid(body) {
		return fmt.Errorf("the body of %d bytes is not JSON", len(body))
	}
	return nil
}
