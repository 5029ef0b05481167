package nats

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

const (
	statusHeader = "Status" // of what the server itself says
	noResponders = "503"
	jsonType     = "application/json"
	errorCode    = "Nats-Service-Error-Code"
	errorText    = "Nats-Service-Error"
)

var errSubject = errors.New("the subject is none to ask on")

// Request asks on a subject, with a query that is sent as JSON, and decodes the answer.
// Unknown fields are ignored; the strings of the value share one body. A request is
// sent once. Attempts, bytes and caching go to the call that ctx belongs to.
func Request[T any](ctx context.Context, c *Client, subject string, query any) (T, error) {
	value := new(T)
	if err := c.do(ctx, subject, query, value, false); err != nil {
		return *new(T), err
	}
	return *value, nil
}

// RequestList is [Request] for an answer whose elements are remembered one by one: its
// strings share nothing. value is what to decode into.
func RequestList[T any](ctx context.Context, c *Client, subject string, query any, value T) (T, error) {
	if err := c.do(ctx, subject, query, &value, true); err != nil {
		return *new(T), err
	}
	return value, nil
}

func (c *Client) do(ctx context.Context, subject string, query, value any, apart bool) error {
	if !validSubject(subject, false) {
		return fault.Because(fault.None, errSubject)
	}
	by := message.Asked{Service: c.options.Service, MaxBody: c.options.MaxBody}
	return message.Do(ctx, by, subject, query, value, apart, func(ctx context.Context, r *message.Request) error {
		a, err := c.calls.Ask(ctx, r)
		return r.Finish(ctx, "", a, err)
	})
}

// validSubject keeps out what would be several subjects, or none.
func validSubject(subject string, wild bool) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, " \t\r\n\x00") || !wild && strings.ContainsAny(token, "*>") {
			return false
		}
	}
	return true
}

// send publishes a question.
func (c *Client) send(f *message.Flight) error {
	s := c.current()
	if s == nil {
		return errAway
	}
	m := nats.Msg{Subject: f.To, Reply: c.inbox + f.ID, Data: f.Body, Header: make(nats.Header, len(f.Head)+1)}
	values := make([]string, len(f.Head))
	for i, h := range f.Head {
		values[i] = h.Value
		m.Header[h.Name] = values[i : i+1 : i+1]
	}
	m.Header["Content-Type"] = []string{jsonType}
	return s.conn.PublishMsg(&m) //nolint:wrapcheck // Finish does
}

// hear matches an answer with its question.
func (c *Client) hear(m *nats.Msg) {
	id := strings.TrimPrefix(m.Subject, c.inbox)
	if len(m.Data) == 0 && m.Header.Get(statusHeader) == noResponders {
		c.calls.Fail(id, errNobody)
		return
	}
	a := message.Answer{Status: okStatus, ContentType: jsonType, Body: m.Data}
	if kind := m.Header["Content-Type"]; len(kind) > 0 {
		a.ContentType = kind[0]
	}
	a.Control = m.Header.Get("Cache-Control")
	if code, ok := m.Header[errorCode]; ok {
		a.Status = message.ParseStatus(strings.Join(code, ","))
		a.Said = m.Header.Get(errorText)
		if a.Status/100 == okStatus/100 {
			a.Status = 0 // a failure that says it is none
		}
	}
	c.calls.Answer(id, a)
}

const okStatus = 200
