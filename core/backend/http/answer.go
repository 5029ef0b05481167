package http

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
)

var errEncoded = errors.New("the answer is compressed, which was not asked for")

// judge says from its header why an answer is none; its error is nil for one
// whose body is worth reading.
func judge(h *fasthttp.ResponseHeader) (fault.Reason, error) {
	status := h.StatusCode()
	if reason := payload.Status(status).Reason(); reason != fault.None {
		return reason, payload.Status(status)
	}
	if status == fasthttp.StatusNoContent || status == fasthttp.StatusResetContent || h.ContentLength() == 0 {
		return fault.ReasonInvalid, payload.ErrEmpty
	}
	if encoding := h.ContentEncoding(); len(encoding) > 0 && !bytes.EqualFold(encoding, []byte("identity")) {
		return fault.ReasonInvalid, errEncoded
	}
	if !payload.IsJSON(string(h.ContentType())) {
		return fault.ReasonInvalid, fmt.Errorf("content type %.60q is not JSON in UTF-8", h.ContentType())
	}
	return fault.None, nil
}
