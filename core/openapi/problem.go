package openapi

import (
	"reflect"
	"strconv"

	"github.com/facet-gateway/facet/core/fault"
)

// answered are the codes that a page can fail with.
func answered() []fault.Code {
	return []fault.Code{
		fault.Invalid, fault.Unauthenticated, fault.NotFound, fault.MethodNotAllowed, fault.HeaderTooLarge,
		fault.Internal, fault.BadAnswer, fault.Unavailable, fault.Timeout,
	}
}

// liveAnswered are those that what keeps coming can be refused with.
func liveAnswered() []fault.Code { return append(answered(), fault.Forbidden, fault.Limited) }

func status(c fault.Code) string { return strconv.Itoa(c.Status()) }

// problem has the fields of an error as the public port writes it; tests hold the
// one to the other.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Code      problemCode  `json:"code"`
	Reason    problemCause `json:"reason,omitempty"`
	Field     string       `json:"field,omitempty"`
	RequestID string       `json:"request_id"`
}

// problemCode is the code of a problem.
type problemCode string

// Enum returns every code that an answer can have.
func (problemCode) Enum() []string {
	var all []string
	for _, c := range fault.Codes() {
		if c != fault.Canceled { // nobody is there to read it
			all = append(all, c.String())
		}
	}
	return all
}

// problemCause is why a required part failed.
type problemCause string

// Enum returns every reason.
func (problemCause) Enum() []string {
	var all []string
	for _, r := range fault.Reasons() {
		all = append(all, r.String())
	}
	return all
}

// newProblems are the answers of pages that failed.
func newProblems(s *shapes, codes []fault.Code) map[string]response {
	all := make(map[string]response)
	for _, code := range codes {
		r := response{
			Description: code.Title() + ".", Headers: sharing("Cache-Control", "Vary", "X-Request-Id"),
			Content: map[string]media{"application/problem+json": {s.schema(reflect.TypeFor[problem]())}},
		}
		switch code {
		case fault.Unavailable, fault.Limited:
			r.Headers["Retry-After"] = header{Ref: headersAt + "Retry-After"}
		case fault.MethodNotAllowed:
			r.Headers["Allow"] = header{Ref: headersAt + "Allow"}
		}
		all[code.String()] = r
	}
	return all
}
