package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"unsafe"

	"github.com/valyala/fasthttp"

	"github.com/facet-gateway/facet/core/backend/kept"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

const (
	headerLimit = 8 << 10
	maxInterim  = 4 // 1xx answers before the one that counts
)

var (
	errHeader   = errors.New("the answer's header is malformed")
	errHeadSize = errors.New("the answer's header is over 8 KiB")
	errInterim  = errors.New("too many interim answers")
	errBodySize = errors.New("the answer's body is over the limit")
	errBody     = errors.New("the answer's body is malformed")
)

// conn is one connection with the buffers of its exchange. One call at a time
// uses it.
type conn struct {
	*kept.Conn

	in     *instance
	reader *bufio.Reader
	answer fasthttp.Response
	out    []byte

	whole  bool         // the answer was read to its end
	reason fault.Reason // of the error that exchange returned
}

func newConn(in *instance, c *kept.Conn) *conn {
	return &conn{Conn: c, in: in, reader: bufio.NewReaderSize(c, headerLimit)}
}

func (cn *conn) reusable() bool {
	return cn.whole && !cn.answer.ConnectionClose() && cn.reader.Buffered() == 0
}

// exchange sends r and decodes its answer. After an error, reason says why.
func (cn *conn) exchange(ctx context.Context, r request) error {
	cn.whole, cn.reason = false, fault.ReasonError
	cn.Begin(ctx, r.began, r.had())
	cn.out = r.append(cn.out[:0], cn.in)
	err := cn.Send(cn.out)
	if r.call != nil && !cn.Spoiled() {
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
	if lost := cn.Lost(); lost != nil {
		return lost
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
	switch lost := cn.Lost(); {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return errBodySize
	case errors.Is(lost, io.EOF):
		return io.ErrUnexpectedEOF
	case lost != nil:
		return lost
	}
	return errBody
}
