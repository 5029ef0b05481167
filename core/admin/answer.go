package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
)

// problem is an error as a client reads it, after RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

// tell answers with JSON, indented: its readers are people with curl.
func tell(c echo.Context, status int, v any) error {
	if tagged, ok := v.(Tagged); ok {
		c.Response().Header().Set("ETag", `"`+tagged.ETag()+`"`)
	}
	return write(c, status, "application/json", v)
}

// refuse answers with the problem that err is. It is echo's error handler, and
// so also sees paths and methods that no route has; for the latter echo has set
// the Allow header.
func refuse(err error, c echo.Context) {
	if c.Response().Committed {
		return // too late to say anything
	}
	code := fault.CodeOf(err)
	var unrouted *echo.HTTPError
	if errors.As(err, &unrouted) {
		code = codeOf(unrouted.Code)
	}
	p := problem{Type: "urn:facet:problem:" + code.String(), Title: code.Title(), Status: code.Status(), Code: code.String()}
	var f *fault.Error
	if errors.As(err, &f) {
		p.Detail, p.Field = f.Detail, f.Field
	}
	_ = write(c, p.Status, "application/problem+json", p) // who asked has gone
}

// codeOf names what echo's router refuses.
func codeOf(status int) fault.Code {
	switch status {
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusMethodNotAllowed:
		return fault.MethodNotAllowed
	}
	return fault.Internal
}

func write(c echo.Context, status int, contentType string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return send(c, status, contentType, append(body, '\n'))
}

func send(c echo.Context, status int, contentType string, body []byte) error {
	forbidCaching(c)
	if err := c.Blob(status, contentType, body); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func forbidCaching(c echo.Context) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
