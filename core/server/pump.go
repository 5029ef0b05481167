package server

import "github.com/facet-gateway/facet/core/stream"

// transport is how a client is told. Its methods are called by one goroutine.
type transport interface {
	// tell sends an event, and before it the news of a gap if there is one.
	tell(name string, item stream.Item[[]byte]) error
	// beat sends a heartbeat.
	beat() error
	// gone is closed when nothing can be sent any more.
	gone() <-chan struct{}
	// why is why it is gone: the client has left, or something worse.
	why() Ending
	// bye tells why there will be nothing more.
	bye(why Ending)
	// end closes the connection, and waits for what runs beside. It may be called twice.
	end()
}

// run tells the client what comes, until one of them ends.
func (f *following) run(to transport) {
	for f.ending = ""; f.ending == ""; {
		changed := f.follower.Changed()
		var sent bool
		if sent, f.ending = f.next(to); !sent && f.ending == "" {
			f.ending = f.wait(to, changed)
		}
	}
	switch {
	case f.slow.Load():
		f.ending = EndSlow
	case f.ending == EndLeft:
		f.ending = to.why()
	}
	_ = f.writing(func() error { to.bye(f.ending); return nil })
}

// next sends what comes next, if it has come, or says why the client has to go.
func (f *following) next(to transport) (sent bool, why Ending) {
	select {
	case <-f.x.server.room.leaving:
		return false, EndDrain
	default:
	}
	if f.x.takenOut() {
		f.x.fault = errTakenOut
		return false, EndFault
	}
	item, ok, err := f.take()
	switch {
	case err != nil:
		f.x.fault, f.x.defective = err, f.x.failed == nil && f.x.panicked(err)
		return false, EndFault
	case !ok:
		return false, ""
	}
	if err := f.writing(func() error { return to.tell(f.event, item) }); err != nil || f.slow.Load() {
		return false, EndLeft
	}
	f.events++
	f.x.server.room.events.Add(1)
	return true, ""
}

// take returns the next event, of which the first may have been taken already.
func (f *following) take() (item stream.Item[[]byte], ok bool, err error) {
	if first := f.item; first != nil {
		f.item = nil
		return *first, true, nil
	}
	return f.follower.Next()
}

// wait waits for more, and sends heartbeats meanwhile.
func (f *following) wait(to transport, changed <-chan struct{}) Ending {
	select {
	case <-changed:
	case <-f.wake:
		if err := f.writing(to.beat); err != nil || f.slow.Load() {
			return EndLeft
		}
	case <-f.x.server.room.leaving:
		return EndDrain
	case <-to.gone():
		return EndLeft
	}
	return ""
}
