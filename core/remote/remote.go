// Package remote is versions of an adapter that live elsewhere: in another gateway of
// this kind, or in any HTTP server that a device team runs. A [Remote] is one: an
// [adapter.Version] whose every page is one GET of the same path and query, behind a
// command of its own with a time limit, a bulkhead and a circuit. Whoever serves it
// has another version make the pages that it does not bring.
//
// # What is sent
//
// X-Device-Type has the device's class, and X-User-Id the user, if there is one: the
// remote believes both, so nobody else may reach it. X-Request-Timeout-Ms says how
// many milliseconds are left, traceparent and X-Request-Id which request it is.
// Nothing else of the client's header gets there, nor anything of the remote's
// header to the client.
//
// # What comes back
//
//	a status of success, with JSON      the page; what Facet-Parts says becomes the page's record
//	a problem that blames the client    the same refusal
//	any other 4xx but 408 and 429       bad_answer: no page, but the remote is there ([fault.ErrRefused])
//	anything else, or too late          a fault of the remote's, as package http has it
//
// A problem blames the client if it is application/problem+json as this gateway writes
// it: its code is invalid, unauthenticated, forbidden or not_found, and its status the
// code's. It does not if it is about a header that the gateway has sent, if it asks for
// a user that was named, or if it is a not_found without a reason: then the path is
// not there, and no product is missing.
package remote

import (
	"context"
	"fmt"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// Options is what a [Remote] is made from.
type Options struct {
	Class     devices.Class
	Name      string         // of the version, such as "v9"
	Paths     []string       // of its pages
	Instances []string       // base URLs, http://host:port[/prefix]; at least one
	MaxBody   int64          // of a page, in bytes
	MaxConns  int            // to each instance
	Policy    command.Policy // its Timeout leaves time for another version to make the page
}

// Remote is a version that lives elsewhere. Safe for concurrent use.
type Remote struct {
	version *adapter.Version
	client  *http.Client
	command *command.Command[question, answer]
}

// question is all that a remote learns.
type question struct{ Path, Query, Device, User string }

// answer is a page as it came.
type answer struct {
	page  adapter.Answer
	parts string
}

// New returns a remote version, which connects to nothing yet. There is one of a name
// in a process: its circuit lives as long. The error names what is wrong with the
// options. Close it in the end.
func New(o Options) (*Remote, error) {
	if len(o.Instances) == 0 {
		return nil, fault.InvalidField("instances", "must name at least one base URL")
	}
	r := &Remote{}
	var err error
	if r.version, err = adapter.NewRemote(o.Class, o.Name, o.Paths, r.serve); err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	r.client, err = http.New(http.Options{
		Service: r.version.String(), Instances: o.Instances, MaxBody: o.MaxBody, MaxConns: o.MaxConns,
	})
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", r.version, err)
	}
	r.command = command.New(commandName(o.Class, o.Name), r.ask)
	if err := r.command.Configure(o.Policy); err != nil {
		return nil, fmt.Errorf("remote %s: %w", r.version, err)
	}
	return r, nil
}

// commandName is that of the version's command, such as "remote.phone_v9".
func commandName(class devices.Class, name string) string {
	return "remote." + strings.ReplaceAll(string(class), "-", "_") + "_" + name
}

// Version returns the version.
func (r *Remote) Version() *adapter.Version { return r.version }

// Control returns what operates the command that all of its pages are asked for with.
func (r *Remote) Control() *command.Control { return r.command.Control }

// Close closes the connections, those in use when their calls end.
func (r *Remote) Close() { r.client.Close() }

// serve brings one page. To the request's report it is a page of the parts that the
// remote has named.
func (r *Remote) serve(ctx context.Context, path string, of *adapter.Request) (adapter.Answer, error) {
	page := r.command.Observe(question{Path: path, Query: of.RawQuery, Device: string(of.Device.Class), User: of.User})
	got, err := stream.Assemble(stream.Required("page", page, func(a *answer, whole answer) { *a = whole })).Run(ctx)
	if err != nil {
		return adapter.Answer{}, err
	}
	if record := report.From(ctx); record != nil {
		record.Parts = parts(got.parts)
	}
	return got.page, nil
}

// parts are those that a page says are not live. A header that cannot be read says
// nothing.
func parts(header string) []report.Part {
	all, _ := report.ParseParts(header)
	for i := range all {
		if p := &all[i]; p.Mark.Rung == report.Missing {
			p.Err = fault.Because(p.Mark.Reason, errElsewhere)
		}
	}
	return all
}

// ask makes the call.
func (r *Remote) ask(ctx context.Context, q question) (answer, error) {
	header := make([]http.Header, 1, 2) //nolint:mnd // the user is the second
	header[0] = http.Header{Name: deviceHeader, Value: q.Device}
	if q.User != "" {
		header = append(header, http.Header{Name: userHeader, Value: q.User})
	}
	got, err := r.client.Get(ctx, http.Fetch{Target: q.target(), Header: header, Told: "Facet-Parts"})
	if err != nil {
		return answer{}, err
	}
	if got.Status >= fault.Invalid.Status() {
		return answer{}, q.refusal(got)
	}
	return answer{page: adapter.Answer{ContentType: got.ContentType, Body: got.Body}, parts: got.Told}, nil
}

// target is what is asked for. A client may send a query that no request line can
// hold: what it decodes to stays the same.
func (q question) target() string {
	if q.Query == "" {
		return q.Path
	}
	const digits = "0123456789ABCDEF"
	b := append(append(make([]byte, 0, len(q.Path)+1+len(q.Query)), q.Path...), '?')
	for _, c := range []byte(q.Query) {
		if c <= ' ' || c >= 0x7f || c == '#' {
			b = append(b, '%', digits[c>>4], digits[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
