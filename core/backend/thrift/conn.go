package thrift

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/fault"
)

// conn is one connection with the buffers of its exchange. One call at a time
// uses it.
type conn struct {
	in        *instance
	nc        net.Conn
	reader    *bufio.Reader
	frame     *lib.TMemoryBuffer
	protocol  *lib.TCompactProtocol // reads the frame
	interrupt func()                // ends whatever the connection is blocked in, at once
	since     time.Time             // when its last exchange began
	reused    bool

	heard  bool         // a byte of the answer came
	whole  bool         // the answer was read to its end
	lost   error        // the last error of the connection itself
	reason fault.Reason // of the error that exchange returned
}

func newConn(in *instance, nc net.Conn) *conn {
	cn := &conn{in: in, nc: nc, frame: lib.NewTMemoryBuffer()}
	cn.interrupt = func() { _ = nc.SetDeadline(time.Unix(1, 0)) } // fails only on a closed connection
	cn.reader = bufio.NewReader(cn)
	cn.protocol = lib.NewTCompactProtocolConf(cn.frame, in.limits)
	return cn
}

// Read is what the buffered reader reads from.
func (cn *conn) Read(p []byte) (int, error) {
	n, err := cn.nc.Read(p)
	cn.heard = cn.heard || n > 0
	if err != nil {
		cn.lost = err
	}
	return n, err //nolint:wrapcheck // io.EOF has to be itself
}

// unheard reports that a kept connection was found closed by its server.
func (cn *conn) unheard() bool { return cn.reused && !cn.heard && cn.lost != nil }

// reusable reports whether the connection may serve another call after one that ended
// with err: all that was sent is read, and an answer of this protocol.
func (cn *conn) reusable(err error) bool {
	var exception *applicationError
	return cn.whole && cn.reader.Buffered() == 0 && (err == nil || errors.As(err, &exception))
}

func (cn *conn) close() { _ = cn.nc.Close() }

// exchange sends r and decodes its answer. After an error, reason says why.
func (cn *conn) exchange(ctx context.Context, r request) error {
	cn.heard, cn.whole, cn.lost, cn.reason = false, false, nil, fault.ReasonError
	cn.since = r.began
	if r.call != nil {
		r.call.Attempts++
	}
	if _, err := cn.nc.Write(r.frame.Bytes()); err != nil {
		cn.lost = err
		return err //nolint:wrapcheck // the client does
	}
	size, err := readSize(cn.reader, cn.in.maxMessage)
	if err != nil {
		if errors.Is(err, errFrame) {
			cn.reason = fault.ReasonInvalid
		}
		return err
	}
	cn.reason = fault.ReasonInvalid
	if err := readFrame(cn.reader, cn.frame, size); err != nil {
		return err
	}
	if r.call != nil {
		r.call.Bytes = size
	}
	return cn.decode(ctx, r)
}

// decode reads the answer from its frame.
func (cn *conn) decode(ctx context.Context, r request) error {
	err := readAnswer(ctx, cn.protocol, r)
	var exception *applicationError
	if errors.As(err, &exception) {
		cn.reason = fault.ReasonError
	}
	cn.whole = cn.frame.Len() == 0
	if !cn.whole && err == nil {
		err = errRest
	}
	if cn.frame.Cap() > keptBytes {
		cn.frame.Buffer = lib.NewTMemoryBuffer().Buffer
	}
	return err
}

// errFrame is in the chain of what is wrong with the size of a frame.
var errFrame = errors.New("the answer is no frame")

// readSize reads the size of a frame, which says how much to read, and is not believed.
func readSize(from *bufio.Reader, most int) (int, error) {
	head, err := from.Peek(sizeBytes)
	if err != nil {
		return 0, err //nolint:wrapcheck // the client does
	}
	size := binary.BigEndian.Uint32(head)
	if size == 0 || uint64(size) > uint64(most) { //nolint:gosec // the limit is positive
		return 0, fmt.Errorf("%w: it claims %d bytes, of 1 to %d", errFrame, size, most)
	}
	_, err = from.Discard(sizeBytes)
	return int(size), err //nolint:wrapcheck // it is there
}

// readFrame reads a frame. Memory grows with what comes, not with what is claimed.
func readFrame(from io.Reader, into *lib.TMemoryBuffer, size int) error {
	into.Reset()
	_, err := io.CopyN(into.Buffer, from, int64(size))
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err //nolint:wrapcheck // the client does
}
