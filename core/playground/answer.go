package playground

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/facet-gateway/facet/core/fault"
)

// problem is an error as the page reads it, after RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

func tell(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		refuse(w, err)
		return
	}
	write(w, http.StatusOK, "application/json", body)
}

func refuse(w http.ResponseWriter, err error) {
	code := fault.CodeOf(err)
	p := problem{Type: "urn:facet:problem:" + code.String(), Title: code.Title(), Status: code.Status(), Code: code.String()}
	var f *fault.Error
	if errors.As(err, &f) {
		p.Detail, p.Field = f.Detail, f.Field
	}
	body, _ := json.Marshal(p) // strings and a number always encode
	write(w, p.Status, "application/problem+json", body)
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON or a file of ours, whose type is to be believed; who asked may have gone
}

const maxBody = 16 << 10 // bytes of a question

// read decodes a body, strictly: what is misspelt would be left out silently.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return fault.New(fault.TooLarge, "the body is longer than 16 KiB")
	case errors.As(err, &wrong):
		return fault.InvalidField(wrong.Field, "must not be of the type "+wrong.Value)
	case err != nil:
		return fault.InvalidField("body", "is not the JSON that is wanted here: "+err.Error())
	}
	if _, err = d.Token(); !errors.Is(err, io.EOF) {
		return fault.InvalidField("body", "goes on after its JSON")
	}
	return nil
}
