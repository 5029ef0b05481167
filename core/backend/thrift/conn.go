package thrift

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/kept"
	"github.com/facet-gateway/facet/core/fault"
)

// conn is one connection with the buffers of its exchange. One call at a time
// uses it.
type conn struct {
	*kept.Conn

	in       *instance
	reader   *bufio.Reader
	frame    *lib.TMemoryBuffer
	protocol *lib.TCompactProtocol // reads the frame

	whole  bool         // the answer was read to its end
	reason fault.Reason // of the error that exchange returned
}

func newConn(in *instance, c *kept.Conn) *conn {
	frame := lib.NewTMemoryBuffer()
	return &conn{Conn: c, in: in, reader: bufio.NewReader(c), frame: frame, protocol: lib.NewTCompactProtocolConf(frame, in.limits)}
}

// reusable reports whether the connection may serve another call after one that ended
// with err: all that was sent is read, and an answer of this protocol.
func (cn *conn) reusable(err error) bool {
	var exception *applicationError
	return cn.whole && cn.reader.Buffered() == 0 && (err == nil || errors.As(err, &exception))
}

// exchange sends r and decodes its answer. After an error, reason says why.
func (cn *conn) exchange(ctx context.Context, r request) error {
	cn.whole, cn.reason = false, fault.ReasonError
	cn.Begin(ctx, r.began, r.had(ctx))
	err := cn.Send(r.frame.Bytes())
	if r.call != nil && !cn.Spoiled() {
		r.call.Attempts++
	}
	if err != nil {
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
