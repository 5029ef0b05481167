package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
)

// Bounds of changes.
const (
	maxChange     = 64 << 10        // bytes of a body
	maxChanges    = 16              // in progress
	changeTimeout = 4 * time.Second // of one; less than closeTimeout, so that a stop waits for it
)

// Change is a method of a path that changes something; [NewChange] makes one.
type Change struct {
	method string
	path   string
	do     func(ctx context.Context, who Actor, body []byte) (told any, understood json.RawMessage, err error)
}

// Actor is who asks for a change, and of what.
type Actor struct {
	Name string // the operator
	From string // ADDRESS:PORT

	param func(name string) string
}

// Param returns the value of a {name} of the path.
func (a Actor) Param(name string) string { return a.param(name) }

// NewChange returns a change whose body is the JSON of a B, a struct. The path is
// one such as "/circuits/{command}". A request without a body has B's zero value;
// one with an unknown field, one twice, or a wrong type is a 400 that names the
// field, and one of over 64 KiB a 413.
//
// do gets what the guard has let pass, from several goroutines at once. What it
// returns is answered as JSON, nil as a 204; an error is answered as a problem,
// with the code, the field and the detail of a [fault.Error], and recorded in
// full. The context ends after 4 s; neither the end of the connection nor that of
// the port ends it earlier, so that nothing stays half done. do must return soon
// after it has ended: a stop of the port waits 5 s.
func NewChange[B any](method, path string, do func(ctx context.Context, who Actor, body B) (any, error)) Change {
	return Change{method: method, path: path, do: func(ctx context.Context, who Actor, text []byte) (any, json.RawMessage, error) {
		var body B
		if len(text) == 0 {
			told, err := do(ctx, who, body)
			return told, nil, err
		}
		if err := decode(text, &body); err != nil {
			return nil, nil, err
		}
		understood, err := json.Marshal(body)
		if err != nil {
			return nil, nil, fmt.Errorf("encode the body for the audit: %w", err)
		}
		told, err := do(ctx, who, body)
		return told, understood, err
	}}
}

// route is the path as the router writes it.
func (ch Change) route() string { return strings.NewReplacer("{", ":", "}", "").Replace(ch.path) }

// change is the handler of a change: the guard has let it pass.
func (a *Admin) change(ch Change) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, c.Request().Body, maxChange))
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return fault.New(fault.TooLarge, "the body is longer than 64 KiB")
		case err != nil:
			return &fault.Error{Code: fault.Invalid, Field: "body", Detail: "did not come whole", Cause: err}
		}
		select {
		case a.changing <- struct{}{}:
			defer func() { <-a.changing }()
		default:
			return fault.New(fault.Unavailable, "as many changes as may be are in progress")
		}
		return a.make(c, ch, body)
	}
}

func (a *Admin) make(c echo.Context, ch Change, body []byte) error {
	rec, ok := c.Get(recordKey).(*Record)
	if !ok {
		return errors.New("a change without its guard") // a defect of the routes
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), changeTimeout)
	defer cancel()
	told, understood, err := ch.do(ctx, Actor{Name: rec.Who, From: rec.From, param: c.Param}, body)
	if len(understood) <= longestChange {
		rec.Change = understood
	}
	switch {
	case err != nil:
		return err
	case told == nil:
		forbidCaching(c)
		return c.NoContent(http.StatusNoContent) //nolint:wrapcheck // it is the connection's, and nobody is left to tell
	}
	return tell(c, http.StatusOK, told)
}

// decode reads JSON strictly: what is misspelt would be left out silently, and of
// two values of one field nobody could say which is meant.
func decode(text []byte, into any) error {
	if err := checkMembers(text, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // of what is further inside
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
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

// checkMembers refuses names that a struct has not, spelt just so, and names that
// come twice. What is no object, or ends too early, is for who decodes it.
func checkMembers(text []byte, of reflect.Type) error {
	known := make(map[string]bool) // true: seen
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[cmp.Or(name, field.Name)] = false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fault.InvalidField("body", "must be a JSON object")
	}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var skipped json.RawMessage
		if err != nil || !ok || d.Decode(&skipped) != nil {
			return fault.InvalidField("body", "is no JSON")
		}
		twice, there := known[name]
		if !there {
			return fault.InvalidField(shorten(name, longestText), "there is no such field")
		}
		if twice {
			return fault.InvalidField(name, "is there twice")
		}
		known[name] = true
	}
	return nil
}
