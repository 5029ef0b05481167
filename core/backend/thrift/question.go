package thrift

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	lib "github.com/apache/thrift/lib/go/thrift"
)

const (
	sizeBytes = 4        // of a frame's size, before it
	keptBytes = 64 << 10 // bytes that a buffer keeps from one call to the next
)

var (
	errOneway = errors.New("the method has no answer, and only calls that have one are made")
	errEncode = errors.New("the arguments cannot be encoded")
)

// question is an encoded call. It is one frame, which is the same for each attempt.
type question struct {
	method   string
	sequence int32
	frame    *lib.TMemoryBuffer
	protocol *lib.TCompactProtocol
}

var questions = sync.Pool{New: func() any {
	frame := lib.NewTMemoryBuffer()
	return &question{frame: frame, protocol: lib.NewTCompactProtocolConf(frame, nil)}
}}

// ask encodes a call. Its sequence id is one that no server can foresee.
func ask(ctx context.Context, method string, args lib.TStruct) (*question, error) {
	q, _ := questions.Get().(*question)
	q.method, q.sequence = method, rand.Int32()
	if err := q.encode(ctx, args); err != nil {
		return nil, fmt.Errorf("%w: %w", errEncode, err) // what is half written is not kept
	}
	return q, nil
}

func (q *question) encode(ctx context.Context, args lib.TStruct) error {
	q.frame.Reset()
	_, _ = q.frame.Write(make([]byte, sizeBytes)) // memory takes it
	if err := q.protocol.WriteMessageBegin(ctx, q.method, lib.CALL, q.sequence); err != nil {
		return err //nolint:wrapcheck // ask does
	}
	if err := args.Write(ctx, q.protocol); err != nil {
		return err //nolint:wrapcheck // ask does
	}
	size := q.frame.Len() - sizeBytes
	if size > math.MaxInt32 {
		return fmt.Errorf("a frame of %d bytes", size)
	}
	binary.BigEndian.PutUint32(q.frame.Bytes(), uint32(size)) //nolint:gosec // it is checked
	return nil
}

// free gives the question back, and must be the last use of it.
func (q *question) free() {
	if q.frame.Cap() <= keptBytes {
		questions.Put(q)
	}
}
