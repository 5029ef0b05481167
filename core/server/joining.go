package server

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
)

// firstWait is how long a client waits for the first value, or for why there is none,
// before its answer begins without.
const firstWait = 800 * time.Millisecond

// newcomer finds out who asks for what keeps coming.
func (x *exchange) newcomer() (*following, error) {
	if err := x.admitted(); err != nil {
		return nil, err
	}
	header, err := x.deviceHeader()
	if err != nil {
		return nil, err
	}
	user, err := x.identify(header)
	if err != nil {
		return nil, x.byQuery(header, err)
	}
	after, err := after(x.r)
	if err != nil {
		return nil, err
	}
	f := &following{x: x, after: after, ending: EndLeft, client: &client{
		transport: TransportSSE, class: string(x.device.Profile.Class), user: user, heartbeat: x.live.Clients.Heartbeat,
	}}
	f.request = &adapter.Request{Device: x.device.Profile, User: user, RawQuery: x.r.URL.RawQuery}
	if wantsWebSocket(x.r.Header) {
		f.transport = TransportWebSocket
	}
	return f, nil
}

// join has the client follow, and be let in. If the version is on trial and panics before
// the answer begins, control tells instead.
func (f *following) join(path string) error {
	x := f.x
	for {
		err := f.attempt(path)
		x.defective = x.panicked(err) || x.defective
		next := x.fallback(err)
		if next == nil {
			return err
		}
		if f.follower != nil {
			f.follower.Close()
			f.follower = nil
		}
		x.fallBack(next, err)
	}
}

// attempt follows what the version that answers does.
func (f *following) attempt(path string) error {
	x := f.x
	endpoint, err := x.feed(path)
	if err != nil {
		return err
	}
	x.name, f.event = endpoint.Name(), endpoint.Event()
	feed, err := endpoint.Follow(f.request)
	if err != nil {
		return err //nolint:wrapcheck // it is a fault
	}
	if x.following == nil {
		if err := x.server.room.enter(f.client, x.live.Clients); err != nil {
			return err
		}
		x.following = f
	}
	if f.follower, err = feed.Follow(f.after); err != nil {
		f.ending = endingOf(err)
		return err //nolint:wrapcheck // it is a fault
	}
	return f.first()
}

// first waits for the first value, and for why there is none: a client that is refused
// before its answer begins can be told with a status.
func (f *following) first() error {
	timer := time.NewTimer(firstWait)
	defer timer.Stop()
	for {
		changed := f.follower.Changed()
		item, ok, err := f.follower.Next()
		switch {
		case err != nil:
			f.ending = endingOf(err)
			return err //nolint:wrapcheck // it is a fault
		case ok:
			f.item, f.ending = &item, EndLeft
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			f.ending = EndLeft
			return nil
		case <-f.x.server.room.leaving:
			f.ending = EndDrain
			return errRoomClosed
		case <-f.x.r.Context().Done():
			f.ending = EndLeft
			return context.Cause(f.x.r.Context())
		}
	}
}

// endingOf is why a client does not follow that was told an error first.
func endingOf(err error) Ending {
	switch fault.CodeOf(err) {
	case fault.NotFound, fault.Invalid:
		return EndRefused
	default:
		return EndFault
	}
}

// blame tells at once that the version panicked before the answer began, and control
// tells instead: it may be followed for hours.
func (x *exchange) blame() {
	if x.failed != nil && x.defective {
		x.seen(time.Since(x.report.Began))
		x.defective = false
	}
}

// errTakenOut is why those go who were told by a version that nobody has any more.
var errTakenOut = fault.New(fault.Unavailable, "the version that told was taken out")

// takenOut reports whether a rollout does no longer give the version that tells to
// anybody: it was quarantined since the client came, or its rollout has ended. Who asks
// again is told by control.
func (x *exchange) takenOut() bool {
	if x.plan == nil || x.version == x.live.classes[x.device.Profile.Class] || x.trial != nil {
		return false
	}
	now := x.server.Rollouts.Plan()
	if now == x.plan { // a quarantine of this replica alone has no revision of its own
		return false
	}
	class, name := x.version.Class, x.version.Name
	return now.Quarantined(class, name) || (x.assigned.Why != rollout.Forced && !now.Gives(class, name))
}
