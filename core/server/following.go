package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// The methods of what is live, and what web pages may send beside what they may for pages.
//
//nolint:gochecknoglobals // constants, but for the language
var (
	liveAllowed = []string{"GET, OPTIONS"}
	liveHeaders = []string{"Last-Event-ID"}
)

// following is a client that is being told of what keeps coming.
type following struct {
	*client
	x        *exchange
	request  *adapter.Request
	after    string // the id of what it had last; "": it had nothing
	event    string // its name
	follower *stream.Follower[[]byte]
	item     *stream.Item[[]byte] // the first one; nil: it has not come

	began  time.Time // the answer
	events int       // that were sent
	ending Ending
}

// exchangeLive is the way of a request for what keeps coming. Up to its answer it goes as
// others do; from then on its connection is ours, and so is the goroutine: those of
// net/http, and their buffers, would be most of what a client that waits costs.
func (s *Server) exchangeLive(live *snapshot, c echo.Context, path string) {
	x := s.begin(live, c.Response().Writer, c.Request())
	x.dropBody()
	var to transport
	x.conduct(func(x *exchange) (err error) {
		to, err = x.follow(path)
		x.stays = err == nil
		return err
	})
	if x.stays {
		x.stays = false
		go x.stay(to)
	}
}

// follow begins the answer to a request for what keeps coming.
func (x *exchange) follow(path string) (transport, error) {
	switch {
	case x.r.Method != http.MethodGet:
		return nil, x.notLive()
	case x.trial != nil:
		return nil, fault.New(fault.NotFound, "what is live cannot be tried")
	}
	open := x.events
	if wantsWebSocket(x.r.Header) {
		if err := x.handshake(); err != nil {
			return nil, err
		}
		if !x.live.cors.known(x.r) {
			x.beNobody()
		}
		open = x.webSocket
	}
	f, err := x.newcomer()
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() {
		if !begun {
			f.leave()
		}
	}()
	if err := f.join(path); err != nil {
		return nil, err
	}
	to, err := open(f)
	begun = err == nil
	x.blame()
	return to, err
}

// notLive refuses a method that no path of what is live knows.
func (x *exchange) notLive() error {
	x.w.Header()["Allow"] = liveAllowed
	return fault.New(fault.MethodNotAllowed, "this path knows "+liveAllowed[0])
}

// stay tells the client what comes, on a goroutine of its own, and ends the exchange. The
// room waits for it.
func (x *exchange) stay(to transport) {
	f := x.following
	defer f.leave()
	defer x.finish()
	defer to.end()
	x.r = &http.Request{Method: x.r.Method, URL: &url.URL{Path: x.r.URL.Path}} // all that is told of it in the end
	x.w = nil
	f.run(to)
}

// feed returns what keeps coming at a path, of the version that answers, or if that is
// elsewhere of the one that is here.
func (x *exchange) feed(path string) (adapter.Endpoint, error) {
	endpoint, ok := x.version.Feed(path)
	if local := x.local(); !ok && x.version.Remote() && local != nil {
		x.serveBy(local)
		endpoint, ok = local.Feed(path)
	}
	if !ok {
		return endpoint, fault.New(fault.NotFound, "this device has no such page")
	}
	return endpoint, nil
}

const deviceParameter = "device"

// deviceHeader is the header by which the device is found: a browser that opens an
// EventSource or a WebSocket cannot set one, and says it in the query.
func (x *exchange) deviceHeader() (http.Header, error) {
	said := x.r.URL.Query()[deviceParameter]
	if len(said) == 0 {
		return x.r.Header, nil
	}
	if len(said) > 1 {
		return nil, fault.InvalidField(deviceParameter, "is given more than once")
	}
	name := http.CanonicalHeaderKey(x.live.Devices.Header())
	switch lines := x.r.Header[name]; {
	case len(lines) == 0:
		header := x.r.Header.Clone()
		header[name] = said
		return header, nil
	case len(lines) == 1 && !strings.EqualFold(strings.TrimSpace(lines[0]), said[0]):
		return nil, fault.InvalidField(deviceParameter, "is another one than the header "+name+" says")
	}
	return x.r.Header, nil
}

// byQuery names the parameter where the header at fault was made of it.
func (x *exchange) byQuery(header http.Header, err error) error {
	name := x.live.Devices.Header()
	var f *fault.Error
	if errors.As(err, &f) && strings.EqualFold(f.Field, name) && len(x.r.Header.Values(name)) < len(header.Values(name)) {
		return fault.InvalidField(deviceParameter, f.Detail)
	}
	return err
}

const (
	afterHeader    = "Last-Event-Id"
	afterParameter = "after"
	maxAfter       = 64 // bytes
)

// after returns the id of the event that the client had last, "" if it had none. The
// header is of a client that comes back, and newer than the query that it was made with.
func after(r *http.Request) (string, error) {
	field, said := afterHeader, r.Header[afterHeader]
	if len(said) == 0 || said[0] == "" {
		field, said = afterParameter, r.URL.Query()[afterParameter]
	}
	switch {
	case len(said) == 0:
		return "", nil
	case len(said) > 1:
		return "", fault.InvalidField(field, "is given more than once")
	case len(said[0]) > maxAfter:
		return "", fault.InvalidField(field, "must be the id of an event, which has at most 64 bytes")
	}
	return said[0], nil
}

// leave ends following.
func (f *following) leave() {
	if f.conn != nil {
		_ = f.conn.Close() // it may be closed already
	}
	if f.follower != nil {
		f.follower.Close()
	}
	if f.x.following != f { // it was not let in
		return
	}
	if f.ending == "" { // of a panic
		f.ending = EndFault
	}
	f.x.server.room.leave(f.client, f.ending)
}
