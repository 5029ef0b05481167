package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

const (
	headerLimit = 8 << 10
	maxInterim  = 4 // 1xx answers before the one that counts
)

var (
	errSpoiled  = errors.New("the kept connection has ended, or says what nobody asked for")
	errHeader   = errors.New("the answer's header is malformed")
	errHeadSize = errors.New("the answer's header is over 8 KiB")
	errInterim  = errors.New("too many interim answers")
	errBodySize = errors.New("the answer's body is over the limit")
	errBody     = errors.New("the answer's body is malformed")
)

// conn is one connection with the buffers of its exchange. One call at a time
// uses it.
type conn struct {
	in     *instance
	nc     net.Conn
	raw    syscall.RawConn // nil if the platform has none
	reader *bufio.Reader
	answer fasthttp.Response
	out    []byte
	sender *sender
	since  time.Time // when its last exchange began
	reused bool

	watch
	spoiled bool         // nothing was written: it could not serve again
	heard   bool         // a byte of the answer came
	whole   bool         // the answer was read to its end
	lost    error        // the last error of the connection itself
	reason  fault.Reason // of the error that exchange returned
}

func newConn(in *instance, nc net.Conn) *conn {
	cn := &conn{in: in, nc: nc, sender: newSender(), watch: newWatch(nc)}
	if sc, ok := nc.(syscall.Conn); ok {
		cn.raw, _ = sc.SyscallConn()
	}
	cn.reader = bufio.NewReaderSize(cn, headerLimit)
	return cn
}

// Read is what the buffered reader reads from; it keeps what the parser hides.
func (cn *conn) Read(p []byte) (int, error) {
	n, err := cn.nc.Read(p)
	for n == 0 && cn.goOn(err) {
		n, err = cn.nc.Read(p)
	}
	cn.heard = cn.heard || n > 0
	if err != nil {
		cn.lost = err
	}
	return n, err
}

func (cn *conn) write(p []byte) error {
	sent, ok := cn.send(p)
	if !ok {
		return errSpoiled
	}
	if p = p[sent:]; len(p) == 0 {
		return nil
	}
	n, err := cn.nc.Write(p)
	for cn.goOn(err) {
		p = p[n:]
		n, err = cn.nc.Write(p)
	}
	if err != nil {
		cn.lost = err
	}
	return err
}

// unheard reports that a kept connection was found closed by its server.
func (cn *conn) unheard() bool { return cn.reused && !cn.heard && cn.lost != nil }

func (cn *conn) reusable() bool {
	return cn.whole && !cn.answer.ConnectionClose() && cn.reader.Buffered() == 0
}

func (cn *conn) close() { _ = cn.nc.Close() }

// exchange sends r and decodes its answer. After an error, reason says why.
func (cn *conn) exchange(ctx context.Context, r request) error {
	cn.heard, cn.whole, cn.lost, cn.reason = false, false, nil, fault.ReasonError
	cn.since = r.began
	cn.begin(ctx, r)
	cn.out = r.append(cn.out[:0], cn.in)
	err := cn.write(cn.out)
	if cn.spoiled = errors.Is(err, errSpoiled); r.call != nil && !cn.spoiled {
		r.call.Attempts++
	}
	if err != nil {
		return err
	}
	if err := cn.readHeader(); err != nil {
		return err
	}
	if r.call != nil {
		h := &cn.answer.Header
		r.call.Caching = report.ParseCaching(h.PeekAll(fasthttp.HeaderCacheControl), h.Peek(fasthttp.HeaderAge))
	}
	if reason, err := r.accept(&cn.answer.Header); err != nil {
		cn.reason = reason
		cn.skipBody()
		return err
	}
	cn.reason = fault.ReasonInvalid
	return cn.readBody(r)
}

// readHeader reads up to the end of the header that counts.
func (cn *conn) readHeader() error {
	for range maxInterim + 1 {
		if err := cn.answer.Header.Read(cn.reader); err != nil {
			return cn.headerFault(err)
		}
		if status := cn.answer.StatusCode(); status >= 200 || status == fasthttp.StatusSwitchingProtocols {
			return nil
		}
	}
	cn.reason = fault.ReasonInvalid
	return errInterim
}

// headerFault replaces the parser's error, which quotes what was received.
func (cn *conn) headerFault(err error) error {
	if cn.lost != nil {
		return cn.lost
	}
	cn.reason = fault.ReasonInvalid
	var small *fasthttp.ErrSmallBuffer
	if errors.As(err, &small) {
		return errHeadSize
	}
	return errHeader
}

// skipBody drops the body that nobody wants if it is here already; waiting for
// the rest could cost more than a new connection.
func (cn *conn) skipBody() {
	n := cn.answer.Header.ContentLength()
	switch status := cn.answer.StatusCode(); {
	case status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified:
		cn.whole = true
	case status != fasthttp.StatusSwitchingProtocols && n >= 0 && n <= cn.reader.Buffered():
		_, err := cn.reader.Discard(n)
		cn.whole = err == nil
	}
}

// readBody decodes the body.
func (cn *conn) readBody(r request) error {
	n := cn.answer.Header.ContentLength()
	switch {
	case n > cn.in.maxBody:
		return errBodySize
	case n >= 0 && n <= cn.reader.Size():
		return cn.readSmall(r, n)
	}
	defer cn.answer.ResetBody()
	err := cn.answer.ReadBody(cn.reader, cn.in.maxBody)
	if err == nil && n == -1 {
		err = cn.answer.Header.ReadTrailer(cn.reader)
	}
	if err != nil {
		return cn.bodyFault(err)
	}
	cn.whole = true
	return cn.hand(r, cn.answer.Body())
}

func (cn *conn) readSmall(r request, n int) error {
	b, err := cn.reader.Peek(n)
	if err != nil {
		return cn.bodyFault(err)
	}
	err = cn.hand(r, b)
	_, lost := cn.reader.Discard(n)
	cn.whole = lost == nil
	return err
}

// hand gives the body to whoever decodes it: a copy for a value that keeps it,
// else the connection's own buffer, which the next exchange overwrites.
func (cn *conn) hand(r request, body []byte) error {
	if r.call != nil {
		r.call.Bytes = len(body)
	}
	if r.fetched != nil {
		return r.take(&cn.answer.Header, body)
	}
	if r.apart {
		return r.decode(unsafe.String(unsafe.SliceData(body), len(body))) //nolint:gosec // whoever keeps something of it copies it
	}
	return r.decode(string(body))
}

func (cn *conn) bodyFault(err error) error {
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return errBodySize
	case errors.Is(cn.lost, io.EOF):
		return io.ErrUnexpectedEOF
	case cn.lost != nil:
		return cn.lost
	}
	return errBody
}
