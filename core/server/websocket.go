package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

const (
	messageLimit = 1 << 10 // bytes that a client may send at once
	pongWait     = 10 * time.Second
	closeWait    = 1500 * time.Millisecond // for the client to close, too
	keyBytes     = 16                      // of Sec-WebSocket-Key, decoded
)

// webSocket tells a client by WebSocket (RFC 6455): text messages of one JSON object
// each. A goroutine of its own reads what the client sends, which means nothing.
type webSocket struct {
	*websocket.Conn
	f      *following
	beside sync.WaitGroup // the reader, and a ping
	pings  atomic.Bool    // one waits for its pong
	cause  atomic.Pointer[Ending]
	read   chan struct{} // closed when nothing more can be read
	said   tally         // of what the client sends; whoever reads has it
}

func wantsWebSocket(h http.Header) bool { return hasToken(h["Upgrade"], "websocket") }

// hasToken reports whether a list in a header has a token.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

// handshake refuses what is no opening handshake (RFC 6455, 4.2.1), and one that a web
// page of a foreign origin had a browser make: other than with requests, nothing else
// keeps that page from reading the answer.
func (x *exchange) handshake() error {
	h := x.r.Header
	key, err := base64.StdEncoding.DecodeString(h.Get("Sec-Websocket-Key"))
	switch {
	case !x.r.ProtoAtLeast(1, 1):
		return fault.InvalidField("Upgrade", "needs HTTP/1.1")
	case !x.live.cors.admits(x.r):
		return &fault.Error{Code: fault.Forbidden, Field: "Origin", Detail: "web pages of this origin may not connect"}
	case !hasToken(h["Connection"], "upgrade"):
		return fault.InvalidField("Connection", "must say upgrade, as Upgrade is given")
	case h.Get("Sec-Websocket-Version") != "13":
		x.w.Header()["Sec-Websocket-Version"] = []string{"13"}
		return fault.InvalidField("Sec-WebSocket-Version", "must be 13")
	case err != nil || len(key) != keyBytes || len(h["Sec-Websocket-Key"]) > 1:
		return fault.InvalidField("Sec-WebSocket-Key", "must be 16 bytes in base64")
	case x.r.ContentLength != 0:
		return fault.InvalidField("Content-Length", "a handshake has no body")
	}
	return nil
}

// admits reports whether a web page may connect whose origin is the request's: one of
// this host, or of those that cors allows. Without an origin, it is no web page's.
func (c corsPolicy) admits(r *http.Request) bool {
	return c.known(r) || c.allow(http.Header{}, r.Header)
}

// known reports whether whoever connects may do so as a user: a page of this host, or of
// an origin that cors names. A browser sends its cookies to a WebSocket whatever page
// opens it, and a proxy in front may make a user of them: so a page that only "*" allows
// is anybody.
func (c corsPolicy) known(r *http.Request) bool {
	lines := r.Header["Origin"]
	if len(lines) != 1 {
		return len(lines) == 0
	}
	if slices.Contains(c.origins, lines[0]) {
		return true
	}
	origin, err := url.Parse(lines[0])
	return err == nil && origin.Host != "" && strings.EqualFold(origin.Host, r.Host)
}

// beNobody forgets who asks, by all that a browser or a proxy may say of it.
func (x *exchange) beNobody() {
	x.r.Header = x.r.Header.Clone()
	x.r.Header.Del(userHeader)
	x.r.Header.Del("Cookie")
}

// webSocket answers the handshake, which has been checked.
func (x *exchange) webSocket(f *following) (transport, error) {
	over := &handover{ResponseWriter: x.w}
	w := &webSocket{f: f, read: make(chan struct{})}
	conn, err := websocket.Accept(over, x.r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled, // the origin has been checked
		OnPingReceived: func(context.Context, []byte) bool { return w.heardControl() },
		OnPongReceived: func(context.Context, []byte) { w.heardControl() },
	})
	if err != nil {
		x.status, x.cut = http.StatusNotImplemented, true // it has answered
		return nil, &fault.Error{Code: fault.Internal, Cause: err}
	}
	x.status = http.StatusSwitchingProtocols
	if err := f.attach(over.conn); err != nil {
		return nil, err
	}
	conn.SetReadLimit(messageLimit)
	w.Conn = conn
	w.beside.Go(w.listen)
	return w, nil
}

// handover is the writer of a handshake. It hands the connection over with buffers as
// small as the messages are.
type handover struct {
	http.ResponseWriter
	conn net.Conn
}

const smallBuffer = 512 // bytes

// Hijack takes the connection over from net/http, whose buffers stay behind.
func (h *handover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, old, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it stands for the writer
	}
	h.conn = conn
	early, _ := old.Peek(old.Reader.Buffered()) // what came before the handshake was answered
	read := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(smallBuffer, len(early)))
	_, _ = read.Peek(len(early)) // so that it counts as buffered
	return conn, bufio.NewReadWriter(read, bufio.NewWriterSize(conn, smallBuffer)), nil
}

// listen reads what the client sends, until it cannot.
func (w *webSocket) listen() {
	defer close(w.read)
	defer w.recovered()
	for {
		kind, text, err := w.Read(context.Background())
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig), isProtocol(err):
			w.because(EndProtocol)
			return
		case err != nil:
			return
		case kind != websocket.MessageText:
			w.refuse(websocket.StatusUnsupportedData, "messages are text")
			return
		case !utf8.Valid(text):
			w.refuse(websocket.StatusInvalidFramePayloadData, "text is UTF-8")
			return
		}
		if !w.heard() {
			w.refuse(websocket.StatusPolicyViolation, tooMuch)
			return
		}
	}
}

// isProtocol tells an end that the client is at fault for from one that is its wish, or
// nobody's: of the former the library has sent a close frame of its own.
func isProtocol(err error) bool {
	var gone net.Error
	return err != nil && websocket.CloseStatus(err) == -1 && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, net.ErrClosed) && !errors.As(err, &gone)
}

// refuse closes, since the client has sent what it may not.
func (w *webSocket) refuse(code websocket.StatusCode, reason string) {
	w.because(EndProtocol)
	w.part(code, reason)
}

// because takes down why it ends; the first reason counts.
func (w *webSocket) because(why Ending) { w.cause.CompareAndSwap(nil, &why) }

// recovered catches a panic of a goroutine of its own.
func (w *webSocket) recovered() {
	if v := recover(); v != nil {
		w.f.x.server.Log.Error("a WebSocket failed", "error", stream.Panicked(v))
		_ = w.CloseNow()
	}
}

// part sends the reason, and waits a moment for the client to send its own.
func (w *webSocket) part(code websocket.StatusCode, reason string) {
	cut := time.AfterFunc(closeWait, func() {
		if w.f.conn != nil {
			_ = w.f.conn.Close()
		}
	})
	defer cut.Stop()
	_ = w.Close(code, reason) // whether the client has heard it is not known in any case
}

// message is what a client is told. Its order is that of the text.
func (w *webSocket) send(id, event string, data []byte) error {
	return compose(func(b *bytes.Buffer) {
		b.WriteByte('{')
		if id != "" {
			b.WriteString(`"id":"` + id + `",`)
		}
		b.WriteString(`"event":"` + event + `","data":`)
		b.Write(data)
		b.WriteByte('}')
	}, func(text []byte) error {
		w.f.x.bytes += len(text)
		return w.Write(context.Background(), websocket.MessageText, text) //nolint:wrapcheck // only that there is an error counts
	})
}

func (w *webSocket) tell(name string, item stream.Item[[]byte]) error {
	if item.Gap {
		if err := w.send("", eventGap, []byte("{}")); err != nil {
			return err
		}
	}
	return w.send(item.ID, name, item.Value)
}

// beat sends a ping, and has another goroutine wait for its pong: meanwhile there may be
// more to tell. There is one such goroutine at most.
func (w *webSocket) beat() error {
	if w.pings.Swap(true) {
		return nil
	}
	w.beside.Go(func() {
		defer w.recovered()
		defer w.pings.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), pongWait)
		defer cancel()
		err := w.Ping(ctx)
		if err != nil && ctx.Err() != nil && w.f.since.Load() == 0 { // else it is gone, or slow, which is told
			w.because(EndSilent)
			_ = w.CloseNow()
		}
	})
	return nil
}

func (w *webSocket) gone() <-chan struct{} { return w.read }

func (w *webSocket) why() Ending {
	if why := w.cause.Load(); why != nil {
		return *why
	}
	return EndLeft
}

// bye closes, with the code that fits the reason, and waits for what runs beside.
func (w *webSocket) bye(why Ending) {
	switch why {
	case EndSlow:
		w.part(websocket.StatusPolicyViolation, "slow: nothing was taken for 8 s")
	case EndDrain:
		w.part(websocket.StatusGoingAway, "the gateway stops")
	case EndFault:
		w.part(websocket.StatusTryAgainLater, "nothing more comes")
	case EndLeft, EndSilent, EndProtocol:
	}
}

// end closes, if bye has not, and waits for what runs beside.
func (w *webSocket) end() {
	_ = w.CloseNow()
	w.beside.Wait()
}
