package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// exchange is one request and what becomes of it.
type exchange struct {
	server  *Server
	live    *snapshot // in force when the request began
	w       http.ResponseWriter
	r       *http.Request
	report  *report.Report
	device  devices.Device
	version *adapter.Version
	name    string // of the page; "" until it is known

	control   *adapter.Version   // what answers the device where no rollout says otherwise
	plan      *rollout.Plan      // that has assigned it; nil: none has
	assigned  rollout.Assignment // why it is version
	progress  *progress          // sends the page while it grows; nil: it is sent whole
	mirror    *mirror            // for a candidate that makes the page, too; nil: none does
	before    *stream.Scope      // of the version that has made the page before
	unit      string             // who was assigned
	defective bool               // it panicked, somewhere
	failed    *adapter.Version   // that made no page, so that another one answered instead; nil: none
	because   error              // of that

	allotted time.Duration // the time of the page

	status   int // as sent; 499: the client was gone
	bytes    int // of the body, as sent
	fault    error
	runaways int // goroutines of the page that outlived it

	trial *witness // nil of what came from a client

	following *following // what keeps coming; nil: a page, or what is refused
	stays     bool       // it goes on without its handler

	cut bool // an answer's header was sent, and the rest of it will not be
}

// exchange is the way of every request for a page, from its header to its answer:
// which answer writes, unless it returns an error. A body means nothing to it.
func (s *Server) exchange(live *snapshot, c echo.Context, answer func(*exchange) error) {
	x := s.begin(live, c.Response().Writer, c.Request())
	x.dropBody()
	x.conduct(answer)
}

// conduct has the request answered, and ends the exchange.
func (x *exchange) conduct(answer func(*exchange) error) {
	defer x.abort()
	defer x.finish()
	err := x.admit()
	if err == nil {
		err = answer(x)
	}
	if err != nil {
		x.refuse(err)
	}
}

// begin identifies the request and sets the headers that every answer has.
func (s *Server) begin(live *snapshot, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{server: s, live: live, w: w, r: r, report: report.New(requestID(r.Header), trace(r.Header))}
	x.attend(w)
	h := w.Header()
	live.fixed.set(h)
	live.cors.allow(h, r.Header)
	h["X-Request-Id"] = []string{x.report.RequestID}
	// While it drains, the next request could come just when the connection is closed. And of
	// HTTP/1.0 net/http hides the transfer coding that a request may have, so that nobody can
	// tell where it ends (RFC 9112, 6.1).
	if s.life.draining.Load() || !r.ProtoAtLeast(1, 1) {
		h["Connection"] = closing
	}
	return x
}

// dropBody has the body of the request not read, if there is one: the connection ends
// with the answer, or else net/http would hold the answer back until the body has come.
// Nor does it wait for the body afterwards: the time to read it is over.
func (x *exchange) dropBody() {
	if x.r.ContentLength != 0 {
		x.w.Header()["Connection"] = closing
		_ = http.NewResponseController(x.w).SetReadDeadline(x.report.Began) // fails only without a connection, in tests
	}
}

// page has the page made, if there is room for one more, and sends it.
func (x *exchange) page(path string) error {
	x.progress = x.wanted()
	answer, err := x.place(path)
	if err != nil {
		return err
	}
	x.send(answer)
	return nil
}

// compose finds out which device asks and who, and has the page made by the
// version that answers this device, within the page's budget. If that one is on
// trial and panics, or lives elsewhere and does not bring the page, it is made by
// control, in what is left of the time.
func (x *exchange) compose(path string) (adapter.Answer, error) {
	user, err := x.identify(x.r.Header)
	if err != nil {
		return adapter.Answer{}, err
	}
	request := &adapter.Request{Device: x.device.Profile, User: user, RawQuery: x.r.URL.RawQuery}
	for {
		answer, err := x.run(path, request)
		x.defective = x.panicked(err) || x.defective
		next := x.fallback(err)
		if next == nil {
			return answer, err
		}
		x.fallBack(next, err)
	}
}

// fallback returns the version that is to make a page instead of the one that failed
// with an error; nil: none is. Where control is remote, too, it is the one that the
// configuration names. From one that is here a request falls back once at most.
func (x *exchange) fallback(err error) *adapter.Version {
	switch {
	case err == nil || x.picked() || x.progress.answering():
		return nil
	case x.version.Remote() && fault.CodeOf(err).Status() >= http.StatusInternalServerError:
		return x.local()
	case x.failed == nil && x.onTrial() && x.panicked(err):
		return x.control
	}
	return nil
}

// local returns a version that is not remote, nil if there is none.
func (x *exchange) local() *adapter.Version {
	for _, v := range []*adapter.Version{x.control, x.live.classes[x.device.Profile.Class]} {
		if !v.Remote() {
			return v
		}
	}
	return nil
}

// fallBack lets another version make the page, of which nothing has been sent yet.
func (x *exchange) fallBack(to *adapter.Version, because error) {
	if x.failed == nil {
		x.failed, x.because = x.version, because
	}
	x.serveBy(to)
	x.report.Parts = nil
}

// serveBy says which version makes the page.
func (x *exchange) serveBy(v *adapter.Version) {
	x.version = v
	x.w.Header()["Facet-Adapter"] = []string{v.String()}
}

// admit refuses a header of too many lines: net/http bounds only its bytes.
func (x *exchange) admit() error {
	lines := 1 // the Host line, which net/http takes out
	for _, values := range x.r.Header {
		lines += len(values)
	}
	if limit := x.server.Limits.MaxHeaderLines; lines > limit {
		return fault.New(fault.HeaderTooLarge, "the header has more than "+strconv.Itoa(limit)+" lines")
	}
	return nil
}

// identify finds out which device asks, by a header, and who, and which version answers.
func (x *exchange) identify(header http.Header) (user string, err error) {
	x.device, err = x.live.Devices.Resolve(header)
	if err != nil {
		return "", invalidDevice(err)
	}
	if user, err = x.server.user(x.r.Header); err != nil {
		return "", err
	}
	version, err := x.choose(user)
	if err != nil {
		return "", err
	}
	x.serveBy(version)
	return user, nil
}

func invalidDevice(err error) error {
	var d *devices.Error
	if errors.As(err, &d) {
		return fault.InvalidField(d.Field, d.Detail)
	}
	return err
}

// errBudget is the cause of the end of a page that took too long.
var errBudget = fault.Because(fault.ReasonBudget, errors.New("the page's budget is spent"))

// run makes the page in a scope of its own: when it returns, no call and nothing
// else of the page runs any more, but for the runaways, whose code ignores that
// the request has ended.
func (x *exchange) run(path string, request *adapter.Request) (adapter.Answer, error) {
	endpoint, ok := x.version.Endpoint(path)
	if !ok {
		return adapter.Answer{}, fault.New(fault.NotFound, "this device has no such page")
	}
	x.name = endpoint.Name()
	x.report.Budget = x.live.Budgets[x.name]
	var err error
	if x.allotted, err = allot(x.report.Budget, x.r.Header); err != nil {
		return adapter.Answer{}, err
	}
	left := x.allotted - time.Since(x.report.Began) // control has what a version on trial has left
	timed, cancel := context.WithTimeoutCause(x.r.Context(), left, errBudget)
	defer cancel()
	ctx, scope := x.server.workers.OpenAfter(timed, x.report, x.before)
	x.mirror = x.mirrored(path, request)
	answer, err := x.serve(ctx, endpoint, request, left)
	runaways := scope.Close()
	x.runaways += runaways
	x.mirror.made(scope, answer, err, x.report, runaways)
	x.before = scope
	if err == nil && x.r.Context().Err() != nil {
		err = context.Cause(x.r.Context()) // a page of optional parts is made for a client that left, too
	}
	return answer, err
}

// allot returns the time that a page may take: its budget, or less if the client asks
// for less. A client that asks for more gets no more. Whether a backend had its time
// is held against the budget all the same: else whoever is in a hurry could open
// the circuits of all.
func allot(budget time.Duration, h http.Header) (time.Duration, error) {
	const field, rule = "X-Request-Timeout-Ms", "must be a whole number of milliseconds, at least 1, and be given once"
	lines := h[field]
	if len(lines) == 0 {
		return budget, nil
	}
	ms, err := strconv.ParseUint(lines[0], 10, 31)
	switch {
	case len(lines) > 1, err != nil && !errors.Is(err, strconv.ErrRange), ms == 0:
		return 0, fault.InvalidField(field, rule)
	}
	return min(budget, time.Duration(ms)*time.Millisecond), nil // of more than fits ParseUint makes the most
}

// make has the endpoint make the page, in parts if that is how it is wanted.
func (x *exchange) make(ctx context.Context, e adapter.Endpoint, request *adapter.Request) (adapter.Answer, error) {
	if x.progress == nil {
		return e.Serve(ctx, request)
	}
	return e.ServeInParts(ctx, request, x.progress.grown)
}

// send writes a page, or that the client has it already.
func (x *exchange) send(a adapter.Answer) {
	if x.progress != nil {
		x.progress.end(a)
		return
	}
	h := x.w.Header()
	x.provenance(h)
	h["Cache-Control"] = pageCaching
	etag := weakETag(a.Body)
	h["Etag"] = []string{etag}
	if matches(x.r.Header["If-None-Match"], etag) {
		x.writeHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = []string{a.ContentType}
	body := x.compress(a.Body, h)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.writeHeader(http.StatusOK)
	x.write(body)
}

// refuse writes the problem that err is; to a client that went away, nothing.
func (x *exchange) refuse(err error) {
	x.fault = err
	code := fault.CodeOf(err)
	if x.cut { // nothing more can be said
		return
	}
	if code == fault.Canceled {
		x.status = code.Status()
		return
	}
	x.dropBody()
	h := x.w.Header()
	body := problem(err, x.report.RequestID)
	if x.progress.fail(body) {
		return
	}
	h["Content-Type"] = problemType
	h["Cache-Control"] = problemCaching
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if code == fault.Unavailable || code == fault.Limited {
		h["Retry-After"] = x.live.retryAfter
	}
	x.writeHeader(code.Status())
	x.write(body)
}

// provenance says in the header where each part of the page came from. A problem
// has none: what becomes of a page's other parts once a required one has failed
// is chance.
func (x *exchange) provenance(h http.Header) {
	if parts := x.report.PartsHeader(); parts != "" {
		h["Facet-Parts"] = []string{parts}
	}
	if x.r.Header.Get("Facet-Timing") == "1" {
		h["Server-Timing"] = []string{x.report.ServerTiming()}
	}
}

func (x *exchange) writeHeader(status int) {
	x.status = status
	x.w.WriteHeader(status)
}

// write sends the body; net/http keeps it to itself for HEAD.
func (x *exchange) write(body []byte) {
	n, err := x.w.Write(body)
	if err != nil && x.r.Method != http.MethodHead {
		x.fault = errors.Join(x.fault, err) // the client went away while it was told
	}
	x.bytes += n
}

// abort breaks the connection off that a client left, as far as anybody can tell, and
// one whose answer was not sent to its end: a handler that only returned would have
// net/http answer an empty 200, or end a part as if it were all. A trial has no
// connection.
func (x *exchange) abort() {
	if x.stays {
		return
	}
	if (x.cut || x.status == fault.Canceled.Status()) && x.trial == nil {
		panic(http.ErrAbortHandler)
	}
}

// finish ends the exchange: it catches a panic of the server's own code, writes
// the log line, and tells who counts.
func (x *exchange) finish() {
	if v := recover(); v != nil {
		err := stream.Panicked(v)
		if x.status == 0 {
			x.refuse(err)
		}
		x.fault = err
	} else if x.stays {
		return
	}
	x.progress.close()
	took := time.Since(x.report.Began)
	if x.live.LogRequests {
		x.log(took)
	}
	if x.following != nil && !x.following.began.IsZero() { // how long it was followed is no time of ours
		took = x.following.began.Sub(x.report.Began)
	}
	if x.server.Observe != nil {
		x.server.Observe(x.record(took))
	}
	x.seen(took)
	x.offer()
}

func (x *exchange) record(took time.Duration) report.Exchange {
	r := report.Exchange{Report: x.report, Page: x.name, Status: x.status, Bytes: x.bytes, Took: took, Runaways: x.runaways}
	if x.version != nil {
		r.Device, r.Version = string(x.device.Profile.Class), x.version.String()
	}
	if x.failed != nil {
		r.Failed = x.failed.String()
	}
	return r
}
