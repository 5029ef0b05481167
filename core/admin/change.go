package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/strict"
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
	most   int64 // bytes of its body
	do     func(ctx context.Context, who Actor, body []byte) (told any, understood json.RawMessage, err error)
}

// Actor is who asks for a change, and of what.
type Actor struct {
	Name string // the operator
	From string // ADDRESS:PORT

	param  func(name string) string
	header http.Header
}

// Param returns the value of a {name} of the path.
func (a Actor) Param(name string) string { return a.param(name) }

// IfMatch returns the entity tag that the request gives as its precondition (RFC 9110,
// 13.1.1), without its quotes, and whether it gives one. A weak one, "*" and a list are
// none: a change is made to one state.
func (a Actor) IfMatch() (tag string, given bool, err error) {
	lines := a.header["If-Match"]
	if len(lines) == 0 {
		return "", false, nil
	}
	tag, opened := strings.CutPrefix(lines[0], `"`)
	tag, closed := strings.CutSuffix(tag, `"`)
	if len(lines) > 1 || !opened || !closed || strings.Contains(tag, `"`) {
		return "", true, fault.InvalidField("If-Match", `must be one entity tag, such as "17"`)
	}
	return tag, true, nil
}

// Tagged is what is told with an entity tag, which changes may ask for.
type Tagged interface {
	// ETag returns the tag, without quotes.
	ETag() string
}

// UpTo lets the body of a change have more bytes than 64 KiB.
func (ch Change) UpTo(bytes int64) Change {
	ch.most = bytes
	return ch
}

// NewChange returns a change whose body is the JSON of a B, a struct. The path is
// one such as "/circuits/{command}". A PUT needs a body; another
// request without one has B's zero value. One with an unknown field, one twice, or a wrong type is a 400 that names the
// field, and one of over 64 KiB a 413.
//
// do gets what the guard has let pass, from several goroutines at once. What it
// returns is answered as JSON, nil as a 204; an error is answered as a problem,
// with the code, the field and the detail of a [fault.Error], and recorded in
// full. The context ends after 4 s; neither the end of the connection nor that of
// the port ends it earlier, so that nothing stays half done. do must return soon
// after it has ended: a stop of the port waits 5 s.
func NewChange[B any](method, path string, do func(ctx context.Context, who Actor, body B) (any, error)) Change {
	read := func(ctx context.Context, who Actor, text []byte) (any, json.RawMessage, error) {
		var body B
		if len(text) == 0 && method == http.MethodPut { // nothing in the place of what there is
			return nil, nil, fault.InvalidField("body", "is needed")
		}
		if len(text) == 0 {
			told, err := do(ctx, who, body)
			return told, nil, err
		}
		if err := strict.Decode(text, &body); err != nil {
			return nil, nil, err
		}
		understood, err := json.Marshal(body)
		if err != nil {
			return nil, nil, fmt.Errorf("encode the body for the audit: %w", err)
		}
		told, err := do(ctx, who, body)
		return told, understood, err
	}
	return Change{method: method, path: path, most: maxChange, do: read}
}

// route is the path as the router writes it.
func (ch Change) route() string { return strings.NewReplacer("{", ":", "}", "").Replace(ch.path) }

// change is the handler of a change: the guard has let it pass.
func (a *Admin) change(ch Change) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, c.Request().Body, ch.most))
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return fault.New(fault.TooLarge, fmt.Sprintf("the body is longer than %d KiB", ch.most>>10))
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
	told, understood, err := ch.do(ctx, Actor{Name: rec.Who, From: rec.From, param: c.Param, header: c.Request().Header}, body)
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
