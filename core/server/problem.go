package server

import (
	"encoding/json"
	"errors"

	"github.com/facet-gateway/facet/core/fault"
)

// problemBody is an error as a client reads it, after RFC 9457. It holds no
// cause: that is for the log, under the same request id.
type problemBody struct {
	Type      string `json:"type"` // urn:facet:problem:CODE
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	Reason    string `json:"reason,omitempty"` // why a required part failed; not of a 400
	Field     string `json:"field,omitempty"`  // the parameter or header at fault
	RequestID string `json:"request_id"`
}

func problem(err error, requestID string) []byte {
	code := fault.CodeOf(err)
	body := problemBody{
		Type: "urn:facet:problem:" + code.String(), Title: code.Title(), Status: code.Status(), Code: code.String(), RequestID: requestID,
	}
	var f *fault.Error
	if errors.As(err, &f) {
		body.Detail, body.Field = f.Detail, f.Field
		if f.Reason != fault.None && code != fault.Invalid {
			body.Reason = f.Reason.String()
		}
	}
	encoded, _ := json.Marshal(body) // strings and a number always encode
	return encoded
}
