package kept

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// unhooked is how long an exchange runs at most before it hooks itself to its
// context, and so how late it may notice that it was cancelled. A deadline that
// an earlier exchange has left serves again if it is enough ahead.
const (
	unhooked = 30 * time.Millisecond
	enough   = 10 * time.Millisecond
)

// watch ends what a connection is blocked in when the context ends. A
// connection's deadline is cheap and a hook is not, and most exchanges are over
// before they need the hook.
type watch struct {
	nc        net.Conn
	interrupt func()    // ends whatever the connection is blocked in, at once
	until     time.Time // the connection's deadline
	ctx       context.Context
	stop      func() bool // nil: not hooked
}

func newWatch(nc net.Conn) watch {
	return watch{nc: nc, interrupt: func() {
		_ = nc.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection
	}}
}

func (w *watch) begin(ctx context.Context, at time.Time, left time.Duration) {
	w.ctx = ctx
	latest := at.Add(min(unhooked, left))
	if w.until.After(latest) || w.until.Before(at.Add(enough)) {
		w.until = latest
		_ = w.nc.SetDeadline(latest) // fails only on a closed connection
	}
}

// goOn reports whether what ended with err is to be tried again: the unhooked
// time is over, but the context is not.
func (w *watch) goOn(err error) bool {
	if w.stop != nil || !errors.Is(err, os.ErrDeadlineExceeded) || fault.Over(w.ctx) {
		return false
	}
	w.until = time.Time{}
	// In this order: the hook may run at once, and its deadline must be the last.
	if w.nc.SetDeadline(time.Time{}) != nil {
		return false
	}
	w.stop = context.AfterFunc(w.ctx, w.interrupt)
	return true
}

// unhook ends the watch. It reports false if the hook has begun: it may then
// set the deadline at any time, and the connection must not serve another call.
func (w *watch) unhook() bool {
	stop := w.stop
	w.ctx, w.stop = nil, nil
	return stop == nil || stop()
}
