package simulator

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	lib "github.com/apache/thrift/lib/go/thrift"
)

const sizeBytes = 4 // of a frame's size, before it

func bufferOf(frame []byte) *lib.TMemoryBuffer {
	return &lib.TMemoryBuffer{Buffer: bytes.NewBuffer(frame)}
}

// readFrame reads a call, of at most what a body may have.
func readFrame(from io.Reader) ([]byte, error) {
	var head [sizeBytes]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err //nolint:wrapcheck // it ends the connection
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxBodyBytes {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame := make([]byte, size)
	_, err := io.ReadFull(from, frame)
	return frame, err //nolint:wrapcheck // it ends the connection
}

// What an unknown field 15 of the compact protocol begins with, as the first of a struct:
// a text, and a struct; and a struct in that as its first.
const (
	fieldText   = 15<<4 | 8
	fieldStruct = 15<<4 | 12
	innerStruct = 1<<4 | 12
)

// sendFrame sends a message as [spoil] and [reset] send a body; there is no gzip, so that
// Bomb is Huge.
func sendFrame(c net.Conn, head, body []byte, f *Fault) error {
	switch {
	case f.Reset:
		_, _ = c.Write(frame(head, body)[:sizeBytes+(len(head)+len(body))/2]) // the client may be gone
		if one, ok := c.(*line); ok {
			one.breakOff()
		}
		return errBrokenOff
	case f.Truncated:
		body = body[:len(body)/2]
	case f.Garbage:
		body = append(bytes.Clone(body[:len(body)/2]), "\xff\xff}{"...)
	case f.WrongType:
		_, err := io.WriteString(c, maintenance)
		return err //nolint:wrapcheck // it ends the connection
	case f.Deep:
		deep := append([]byte{fieldStruct}, bytes.Repeat([]byte{innerStruct}, lists)...)
		body = append(append(deep, make([]byte, lists+1)...), body...)
	case f.Oversize:
		return sendPadded(c, head, body, oversizeBytes)
	case f.Huge || f.Bomb:
		return sendPadded(c, head, body, hugeBytes)
	}
	_, err := c.Write(frame(head, body))
	return err //nolint:wrapcheck // it ends the connection
}

func frame(head, body []byte) []byte {
	size := binary.BigEndian.AppendUint32(nil, uint32(len(head)+len(body))) //nolint:gosec // it is small
	return append(append(size, head...), body...)
}

// sendPadded sends the right answer with a field of some bytes before the others.
func sendPadded(c net.Conn, head, body []byte, padding int) error {
	head = binary.AppendUvarint(append(head, fieldText), uint64(padding))           //nolint:gosec // it is positive
	size := binary.BigEndian.AppendUint32(nil, uint32(len(head)+padding+len(body))) //nolint:gosec // it is under 2 GiB
	_, err := c.Write(append(size, head...))
	chunk := bytes.Repeat([]byte{'x'}, chunkBytes)
	for sent := 0; sent < padding && err == nil; sent += len(chunk) {
		_, err = c.Write(chunk)
	}
	if err == nil {
		_, err = c.Write(body)
	}
	return err //nolint:wrapcheck // it ends the connection
}
