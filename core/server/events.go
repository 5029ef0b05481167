package server

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/stream"
)

// What beside the event itself a client may be told.
const (
	eventGap = "gap" // what came before the next event was missed
	eventBye = "bye" // nothing more comes
)

// Who is sent away by a drain comes back within some seconds, not all at once.
const (
	minRetry = time.Second
	maxRetry = 5 * time.Second
)

// eventStream tells a client by server-sent events (WHATWG HTML, 9.2).
type eventStream struct {
	x *exchange
}

//nolint:gochecknoglobals // constants, but for the language
var (
	eventsType  = []string{"text/event-stream"}
	noBuffering = []string{"no"}
)

// events begins an answer of server-sent events. The connection ends with it, and has
// no deadlines of its own any more: the room looks after it.
func (x *exchange) events(f *following) (transport, error) {
	control := http.NewResponseController(x.w)
	_ = control.SetReadDeadline(time.Time{}) // these two fail only without a connection, in tests
	_ = control.SetWriteDeadline(time.Time{})
	f.bound()
	h := x.w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = eventsType, problemCaching, noBuffering
	h["Connection"] = closing
	x.writeHeader(http.StatusOK)
	s := &eventStream{x}
	return s, f.writing(s.beat)
}

// bound has the kernel hold little of what a client has not taken.
func (f *following) bound() {
	f.began = time.Now()
	if f.conn != nil {
		_ = f.conn.SetWriteBuffer(socketBuffer)
	}
}

// sheets are what events are put together on, so that no client has one of its own.
var sheets = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// compose writes what is put together on a sheet.
func compose(put func(b *bytes.Buffer), write func([]byte) error) error {
	b, _ := sheets.Get().(*bytes.Buffer)
	defer sheets.Put(b)
	b.Reset()
	put(b)
	return write(b.Bytes())
}

func (s *eventStream) send(put func(b *bytes.Buffer)) error {
	return compose(put, func(text []byte) error {
		n, err := s.x.w.Write(text)
		s.x.bytes += n
		if err != nil {
			return err //nolint:wrapcheck // only that there is one counts
		}
		return http.NewResponseController(s.x.w).Flush() //nolint:wrapcheck // likewise
	})
}

func (s *eventStream) tell(name string, item stream.Item[[]byte]) error {
	return s.send(func(b *bytes.Buffer) {
		if item.Gap {
			b.WriteString("event: " + eventGap + "\ndata: {}\n\n")
		}
		b.WriteString("id: ")
		b.WriteString(item.ID)
		b.WriteString("\nevent: ")
		b.WriteString(name)
		b.WriteString("\ndata: ")
		b.Write(item.Value)
		b.WriteString("\n\n")
	})
}

func (s *eventStream) beat() error {
	return s.send(func(b *bytes.Buffer) { b.WriteString(":\n\n") })
}

func (s *eventStream) gone() <-chan struct{} { return s.x.r.Context().Done() }

func (s *eventStream) why() Ending { return EndLeft }

// bye tells the reason. A client that reads events comes back by itself.
func (s *eventStream) bye(why Ending) {
	if why == EndLeft {
		return
	}
	_ = s.send(func(b *bytes.Buffer) { // if it cannot be told, it has left
		retry := minRetry + rand.N(maxRetry-minRetry)
		b.WriteString("retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\nevent: " + eventBye + "\ndata: ")
		b.Write(marshal(parted{why}))
		b.WriteString("\n\n")
	})
}

// parted is why a client is told nothing more.
type parted struct {
	Reason Ending `json:"reason"`
}
