package http

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/facet-gateway/facet/core/fault"
)

var (
	errEncoded = errors.New("the answer is compressed, which was not asked for")
	errEmpty   = errors.New("the answer has no body")
)

// statusError is an answer whose status is not one of success.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// code returns the code of an answer: [fault.OK] leaves it to the reason.
func (e statusError) code() fault.Code {
	if e.refused() {
		return fault.BadAnswer
	}
	return fault.OK
}

// refused reports the 4xx that blame the request, and are no answer as a 404 is.
func (e statusError) refused() bool {
	return reasonOf(int(e)) == fault.ReasonError && e >= 400 && e < 500 && !busy(int(e))
}

// Is says what a 4xx means, with [fault.ErrRefused].
func (e statusError) Is(target error) bool { return target == fault.ErrRefused && e.refused() }

// reasonOf is the table of the package comment, for statuses.
func reasonOf(status int) fault.Reason {
	switch {
	case status == fasthttp.StatusNotFound:
		return fault.ReasonNotFound
	case status >= 400:
		return fault.ReasonError
	case status < 200 || status >= 300:
		return fault.ReasonInvalid
	}
	return fault.None
}

// busy reports the 4xx that blame the moment and not the request.
func busy(status int) bool {
	return status == fasthttp.StatusRequestTimeout || status == fasthttp.StatusTooManyRequests
}

// judge says from its header why an answer is none; its error is nil for one
// whose body is worth reading.
func judge(h *fasthttp.ResponseHeader) (fault.Reason, error) {
	status := h.StatusCode()
	if reason := reasonOf(status); reason != fault.None {
		return reason, statusError(status)
	}
	if status == fasthttp.StatusNoContent || status == fasthttp.StatusResetContent || h.ContentLength() == 0 {
		return fault.ReasonInvalid, errEmpty
	}
	if encoding := h.ContentEncoding(); len(encoding) > 0 && !bytes.EqualFold(encoding, []byte("identity")) {
		return fault.ReasonInvalid, errEncoded
	}
	if !isJSON(h.ContentType()) {
		return fault.ReasonInvalid, fmt.Errorf("content type %.60q is not JSON in UTF-8", h.ContentType())
	}
	return fault.None, nil
}

// isJSON has the two common spellings first; the rest costs an allocation.
func isJSON(contentType []byte) bool {
	switch string(contentType) {
	case "application/json", "application/json; charset=utf-8":
		return true
	}
	kind, params, err := mime.ParseMediaType(string(contentType))
	if err != nil {
		return false
	}
	charset, given := params["charset"]
	if given && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}
