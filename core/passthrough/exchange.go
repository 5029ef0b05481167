package passthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// exchange is one request on its way.
type exchange struct {
	*Route
	w      http.ResponseWriter
	r      *http.Request
	host   string // of the instance
	user   string
	began  time.Time
	client patience
	upload *upload // nil: there is no body to pass on
	begun  bool    // the answer's header was sent

	answered time.Duration // until the service did; 0: not yet
	whole    bool          // all of it was
}

// Serve passes a request on and answers it, unless it returns an error: then begun says
// whether the header of an answer was sent before, of which the rest is missing. The
// request's path is one that [Clean] has let through, and the user is "" for nobody. It ends
// with ctx, which belongs to the record of the request (see [report.From]) and to the
// connection of the client. When it returns nobody reads the request's body any more; if
// that has not come to its end, the connection has to end with the answer.
func (r *Route) Serve(ctx context.Context, w http.ResponseWriter, of *http.Request, user string) (begun bool, err error) {
	x := &exchange{Route: r, w: w, r: of, user: user, began: time.Now()}
	if r.TakesBody(of.Method) && of.ContentLength != 0 {
		if of.ContentLength > r.rules.MaxBody {
			return false, r.tooLarge()
		}
		x.upload = &upload{body: of.Body, client: &x.client, left: r.rules.MaxBody, due: of.ContentLength}
		defer x.upload.stop(w)
	}
	if err = r.command.Do(ctx, x.run); x.whole { // whatever the status says of the service
		return true, nil
	}
	return x.begun, err
}

func (r *Route) tooLarge() error {
	return &fault.Error{
		Code: fault.TooLarge, Field: "body", Detail: "the request's body may have " + strconv.FormatInt(r.rules.MaxBody, 10) + " bytes",
	}
}

// run is the call itself.
func (x *exchange) run(ctx context.Context) error {
	in, err := x.upstream.next()
	if err != nil {
		return fault.Because(fault.ReasonError, fmt.Errorf("%s: %w", x.upstream.service, err))
	}
	asked, said := time.Now(), balance.Silent // of a panic
	defer func() { in.Done(said, x.answered) }()
	err = x.ask(ctx, in.Base)
	took := time.Since(asked)
	if x.answered == 0 {
		x.answered = took
	}
	said = outcome(ctx, err, took)
	return err
}

// ask asks an instance, and passes on what it answers.
func (x *exchange) ask(ctx context.Context, base *url.URL) error {
	// The answer's body has to be ended before this returns, also where its time is not over.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if x.upload != nil { // the transport waits for the reading of it to end
		defer atEnd(ctx, func() { x.upload.stop(x.w) })()
	}
	asked := time.Now()
	answer, err := x.upstream.roundTrip(x.request(ctx, base))
	if err != nil {
		return x.failed(ctx, err, lost)
	}
	x.answered = time.Since(asked)
	defer answer.Body.Close() //nolint:errcheck // what was read of it is all that matters
	if err := x.check(answer); err != nil {
		return err
	}
	if err := x.relay(ctx, answer); err != nil {
		return err
	}
	x.whole = true
	return verdict(answer.StatusCode)
}

// request is what the service gets.
func (x *exchange) request(ctx context.Context, base *url.URL) *http.Request {
	raw := strings.TrimRight(base.EscapedPath(), "/") + x.rules.Rewrite + spell(sent(x.r.URL), len(x.rules.Prefix))
	x.host = base.Host
	path, _ := url.PathUnescape(raw) // it was encoded here
	out := &http.Request{
		Method: x.r.Method, Host: base.Host, Header: x.header(ctx),
		URL:   &url.URL{Scheme: "http", Host: base.Host, Path: path, RawPath: raw, RawQuery: query(x.r.URL.RawQuery)},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if x.upload != nil {
		out.Body, out.ContentLength = x.upload, x.r.ContentLength
	}
	return out.WithContext(ctx)
}

func (x *exchange) header(ctx context.Context) http.Header {
	h := make(http.Header, len(x.rules.RequestHeaders)+5) //nolint:mnd // the five below
	h["User-Agent"] = []string{"facet"}
	pass(h, x.r.Header, x.rules.RequestHeaders)
	if of := report.From(ctx); of != nil {
		h["X-Request-Id"] = []string{of.RequestID}
		h["Traceparent"] = []string{string(of.Trace.AppendTraceparent(nil))}
	}
	if deadline, ok := ctx.Deadline(); ok {
		h["X-Request-Timeout-Ms"] = []string{strconv.FormatInt(max(1, time.Until(deadline).Milliseconds()), 10)}
	}
	if x.user != "" {
		h["X-User-Id"] = []string{x.user}
	}
	return h
}

// check refuses what cannot be passed on.
func (x *exchange) check(answer *http.Response) error {
	const least, most = 200, 599
	switch {
	case answer.StatusCode < least || answer.StatusCode > most:
		return x.unreadable(fmt.Errorf("it answered with the status %d", answer.StatusCode))
	case answer.ContentLength > x.rules.MaxAnswer:
		return x.unreadable(fmt.Errorf("its answer has %d bytes", answer.ContentLength))
	}
	return nil
}

// verdict is what an answer that was passed on says of the service: that a client's
// question was at fault says nothing.
func verdict(status int) error {
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fault.Because(fault.ReasonError, fmt.Errorf("status %d", status))
	case status >= http.StatusBadRequest:
		return fmt.Errorf("%w: status %d", fault.ErrRefused, status)
	}
	return nil
}

// buffers are those that no exchange uses now.
var buffers = sync.Pool{New: func() any { return new([buffer]byte) }}

// relay sends the answer, beginning when there is something of its body.
func (x *exchange) relay(ctx context.Context, answer *http.Response) error {
	room, _ := buffers.Get().(*[buffer]byte)
	defer buffers.Put(room)
	n, err := head(answer, room[:])
	if err != nil && !errors.Is(err, io.EOF) {
		return x.failed(ctx, err, broken)
	}
	x.begin(answer)
	defer atEnd(ctx, x.stopWriting)()
	for left := x.rules.MaxAnswer; ; {
		if left -= int64(n); left < 0 {
			return x.unreadable(fmt.Errorf("its answer has over %d bytes", x.rules.MaxAnswer))
		}
		if err := x.send(room[:n], answer.ContentLength < 0); err != nil {
			return x.failed(ctx, err, gone)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if n, err = answer.Body.Read(room[:]); err != nil && !errors.Is(err, io.EOF) {
			return x.failed(ctx, err, broken)
		}
	}
}

// head reads the beginning of a body: all that there is room for, if its length is
// known, else what comes first.
func head(answer *http.Response, room []byte) (n int, err error) {
	for n < len(room) && err == nil && (n == 0 || answer.ContentLength >= 0) {
		var more int
		more, err = answer.Body.Read(room[n:])
		n += more
	}
	return n, err
}

// begin sends the header of the answer.
func (x *exchange) begin(answer *http.Response) {
	h := x.w.Header()
	h["Content-Type"] = nil // nobody is to guess it
	pass(h, answer.Header, x.rules.ResponseHeaders)
	if at := h["Location"]; len(at) == 1 {
		at[0] = x.relocated(at[0])
	}
	if answer.ContentLength >= 0 && answer.StatusCode != http.StatusNoContent && answer.StatusCode != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.FormatInt(answer.ContentLength, 10)}
	}
	// A chunked body may have come with a length, too, which net/http takes out: who is in
	// front of the gateway may have gone by that (RFC 9112, 6.1).
	if x.upload != nil {
		if whole, _ := x.upload.state(); !whole || x.r.ContentLength < 0 {
			h["Connection"] = []string{"close"}
		}
	}
	x.begun = true
	x.w.WriteHeader(answer.StatusCode)
}

// relocated puts the route's prefix back in a path that the service tells of itself, and
// takes out where the instance is, which is nobody's business.
func (x *exchange) relocated(to string) string {
	if own, err := url.Parse(to); err == nil && own.Host == x.host {
		own.Scheme, own.Host, own.User = "", "", nil
		if to = own.String(); !strings.HasPrefix(to, "/") {
			to = "/" + to
		}
	}
	if rest, own := strings.CutPrefix(to, x.rules.Rewrite); own && !strings.HasPrefix(to, "//") {
		return x.rules.Prefix + rest
	}
	return to
}

// stopWriting ends a write to a client that does not take it.
func (x *exchange) stopWriting() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Unix(1, 0)) // fails only without a connection, in trials
}

// send gives the client a piece of the body, at once where nobody knows when the next
// one comes.
func (x *exchange) send(piece []byte, flush bool) error {
	if len(piece) == 0 || x.r.Method == http.MethodHead {
		return nil
	}
	x.client.begin()
	defer x.client.end()
	if _, err := x.w.Write(piece); err != nil {
		return fmt.Errorf("send the answer: %w", err)
	}
	if flush {
		_ = http.NewResponseController(x.w).Flush() // a writer that cannot does not hold back
	}
	return nil
}
