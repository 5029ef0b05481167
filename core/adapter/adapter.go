// Package adapter is the vocabulary of a device team: a [Version] of one device
// class's adapter is a list of endpoints, and an [Endpoint] is a path with a
// page function, or with what keeps coming there ([Live]). The function is typed
// by its query and by its page; it is erased once, here, to Serve or Follow. A
// version may build on another one of its class and override some endpoints; a
// [Set] is all versions of a build, resolved.
package adapter

import "github.com/facet-gateway/facet/devices"

// Request is what a page may know of who asks. It is read only, and belongs to
// one request.
type Request struct {
	Device   *devices.Profile // what the screen can show
	User     string           // who asks; "" is anybody
	RawQuery string           // as received: decoded into the page's query struct
}

// Answer is a page, encoded.
type Answer struct {
	ContentType string
	Body        []byte
}
