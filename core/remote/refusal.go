package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

// The headers that a remote knows its clients by.
const (
	deviceHeader  = "X-Device-Type"
	userHeader    = "X-User-Id"
	timeoutHeader = "X-Request-Timeout-Ms"
)

// errElsewhere is the cause of what a remote says that it has no cause for.
var errElsewhere = errors.New("the remote version says so")

// problem is what is read of a problem (RFC 9457).
type problem struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// The longest of what a client is told in a remote's words, in bytes.
const (
	maxField  = 64
	maxDetail = 500
)

// refusal is the error of a 4xx: the client's, if the remote says so in a way that
// leaves no doubt, else one that has another version asked.
func (q question) refusal(got http.Fetched) error {
	var p problem
	kind, _, err := mime.ParseMediaType(got.ContentType)
	if err != nil || kind != "application/problem+json" || json.Unmarshal(got.Body, &p) != nil {
		return refused("status %d without a problem", got.Status)
	}
	code, ok := blaming(p.Code)
	if !ok || code.Status() != got.Status {
		return refused("status %d with a problem of code %.64q", got.Status, p.Code)
	}
	reason := reasonOf(p.Reason)
	switch {
	case code == fault.Invalid && ours(p.Field):
		return refused("it does not take the header %s", p.Field)
	case code == fault.Unauthenticated && q.User != "":
		return refused("it does not believe the header %s", userHeader)
	case code == fault.NotFound && reason == fault.None:
		return refused("it has no page %s", q.Path)
	}
	answer := &fault.Error{Code: code, Reason: reason, Cause: errElsewhere}
	if len(p.Field) <= maxField {
		answer.Field = p.Field
	}
	if len(p.Detail) <= maxDetail {
		answer.Detail = p.Detail
	}
	return answer
}

// refused is the fault of an answer that is none, of a remote that is there.
func refused(format string, args ...any) error {
	return &fault.Error{
		Code: fault.BadAnswer, Reason: fault.ReasonError, Cause: fmt.Errorf("%w: "+format, append([]any{fault.ErrRefused}, args...)...),
	}
}

// blaming returns the code of a name, if it is one that blames the client.
func blaming(name string) (fault.Code, bool) {
	for _, code := range []fault.Code{fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound} {
		if code.String() == name {
			return code, true
		}
	}
	return fault.OK, false
}

func reasonOf(name string) fault.Reason {
	for _, reason := range fault.Reasons() {
		if reason.String() == name {
			return reason
		}
	}
	return fault.None
}

// ours reports whether a field is a header that this gateway has sent, and no client.
func ours(field string) bool {
	return slices.ContainsFunc([]string{deviceHeader, userHeader, timeoutHeader}, func(name string) bool {
		return strings.EqualFold(name, field)
	})
}
