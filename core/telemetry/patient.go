package telemetry

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// patient writes an answer that has no end of its own: each write has a time
// limit, and the end of the context ends one that waits for its reader.
type patient struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context // of the request
	timeout time.Duration
	forget  func() bool

	mu    sync.Mutex // of the deadline
	ended bool
}

// newPatient begins the answer. Its connection ends with it, because deadlines
// that were set on it would hold for the next request.
func newPatient(ctx context.Context, w http.ResponseWriter, timeout time.Duration) *patient {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream;charset=UTF-8")
	h.Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	h.Set("Connection", "close")
	p := &patient{w: w, control: http.NewResponseController(w), ctx: ctx, timeout: timeout}
	// The port's limit on reading a request would end the request's context.
	_ = p.control.SetReadDeadline(time.Time{}) // it fails only without a connection, in tests
	p.forget = context.AfterFunc(ctx, p.hurry)
	return p
}

// write sends a piece at once. It reports false when the answer has ended.
func (p *patient) write(piece []byte) bool {
	if !p.wait() {
		return false
	}
	_, err := p.w.Write(piece)
	return err == nil && p.control.Flush() == nil
}

// wait sets the time limit of the next write.
func (p *patient) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.ctx.Err() != nil {
		return false
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(p.timeout))
	return true
}

// hurry leaves a write in progress, and the end of the answer, a last moment.
func (p *patient) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		_ = p.control.SetWriteDeadline(time.Now().Add(lastMoment))
	}
}

// end leaves net/http a last moment to end the answer; nothing uses it afterwards.
func (p *patient) end() {
	p.forget()
	p.hurry()
}
