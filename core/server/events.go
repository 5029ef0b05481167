package server

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
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

// eventStream tells a client by server-sent events (WHATWG HTML, 9.2), in chunks.
type eventStream struct {
	*net.TCPConn
	x      *exchange
	chunks bool          // HTTP/1.0 has none
	read   chan struct{} // closed when the client has left, or has sent too much
	rude   atomic.Bool   // it has sent too much
}

//nolint:gochecknoglobals // constants, but for the language
var (
	eventsType  = []string{"text/event-stream"}
	noBuffering = []string{"no"}
	chunked     = []string{"chunked"}
)

// events begins an answer of server-sent events, with which the connection ends. It has
// no deadlines: the room looks after it.
func (x *exchange) events(f *following) (transport, error) {
	h := x.w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = eventsType, problemCaching, noBuffering
	h["Connection"], h["Date"] = closing, []string{time.Now().UTC().Format(http.TimeFormat)}
	s := &eventStream{x: x, chunks: x.r.ProtoAtLeast(1, 1), read: make(chan struct{})}
	if s.chunks {
		h["Transfer-Encoding"] = chunked
	}
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return nil, &fault.Error{Code: fault.Internal, Cause: err}
	}
	if err := f.attach(conn); err != nil {
		return nil, err
	}
	s.TCPConn, x.status = f.conn, http.StatusOK
	go s.listen()
	_ = f.writing(func() error { return s.begin(h) }) // a client that is gone is noticed as any
	return s, nil
}

// attach takes over a connection.
func (f *following) attach(conn net.Conn) error {
	f.began = time.Now()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		f.x.cut = true
		return &fault.Error{Code: fault.Internal, Cause: errors.Join(errNoTCP, conn.Close())}
	}
	f.x.server.room.attach(f.client, tcp)
	return nil
}

var errNoTCP = errors.New("the connection is not TCP's")

// begin sends the header, and a heartbeat so that there is something.
func (s *eventStream) begin(h http.Header) error {
	err := compose(func(b *bytes.Buffer) {
		b.WriteString("HTTP/1.1 200 OK\r\n")
		_ = h.Write(b) // to memory
		b.WriteString("\r\n")
	}, func(header []byte) error {
		_, err := s.Write(header)
		return err //nolint:wrapcheck // only that there is one counts
	})
	return errors.Join(err, s.beat())
}

// maxSaid is how many bytes a client of events may send after its request.
const maxSaid = 4 << 10

// listen waits for the client to leave. It has nothing to say: a request that it sent
// after this one has no answer, and one that goes on sending is cut off.
func (s *eventStream) listen() {
	defer close(s.read)
	var some [64]byte
	for said := 0; said <= maxSaid; {
		n, err := s.Read(some[:])
		if err != nil {
			return
		}
		said += n
	}
	s.rude.Store(true)
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

// The frame of a chunk (RFC 9112, 7.1): its size has as many digits whatever it is, so
// that it can be filled in when it is known.
const (
	chunkSize = "00000000"
	lineEnd   = "\r\n"
	lastChunk = "0\r\n\r\n"
)

func (s *eventStream) send(put func(b *bytes.Buffer)) error {
	return compose(func(b *bytes.Buffer) { s.frame(b, put) }, func(text []byte) error {
		n, err := s.Write(text)
		s.x.bytes += n
		return err //nolint:wrapcheck // only that there is one counts
	})
}

// frame puts what is sent into a chunk.
func (s *eventStream) frame(b *bytes.Buffer, put func(b *bytes.Buffer)) {
	if !s.chunks {
		put(b)
		return
	}
	b.WriteString(chunkSize + lineEnd)
	before := b.Len()
	put(b)
	digits := strconv.FormatInt(int64(b.Len()-before), 16) //nolint:mnd // hexadecimal
	copy(b.Bytes()[len(chunkSize)-len(digits):], digits)
	b.WriteString(lineEnd)
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

func (s *eventStream) gone() <-chan struct{} { return s.read }

func (s *eventStream) why() Ending {
	if s.rude.Load() {
		return EndProtocol
	}
	return EndLeft
}

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
	if s.chunks {
		_, _ = s.Write([]byte(lastChunk))
	}
}

// end closes. What the client has not read by then it can still read.
func (s *eventStream) end() {
	_ = s.Close()
	<-s.read
}

// parted is why a client is told nothing more.
type parted struct {
	Reason Ending `json:"reason"`
}
