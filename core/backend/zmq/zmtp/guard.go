package zmtp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	buffer   = 16 << 10
	greeting = 64      // bytes, that come before any frame
	maxShake = 1 << 10 // bytes of a handshake's frame
	maxPing  = 64      // bytes of a command, once the handshake is over
	maxSkip  = 64 << 20
)

// The flags of a frame.
const (
	more    = 1
	long    = 2
	command = 4
)

var (
	errFlags   = errors.New("the peer sends a frame with flags that there are not")
	errFrames  = errors.New("the peer sends a message of too many frames")
	errMessage = errors.New("the peer sends a message far over the limit")
	errCommand = errors.New("the peer sends a command over the limit")
)

// guard hands on what it reads, but no frame before it is known to be within the
// limits, and no command once the handshake is over.
type guard struct {
	in      *bufio.Reader
	limits  Limits
	command func(name string, body []byte) error
	shaking bool

	deadline func(time.Time) // of reading

	head    []byte // of a frame, not handed on yet
	room    [9]byte
	body    int   // bytes to be handed on as they come
	frames  int   // of the message, so far
	message int   // bytes of it
	dropped []int // its frames that were over the limit: they are handed on empty
	over    bool  // the frame is one of them
	fault   error // why it reads no more
}

func newGuard(from io.Reader, l Limits, command func(string, []byte) error) *guard {
	return &guard{in: bufio.NewReaderSize(from, buffer), limits: l, command: command, shaking: true, body: greeting}
}

// shaken says that the handshake is over.
func (g *guard) shaken() { g.shaking = false }

// Read hands on a part of a frame.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.head) == 0 && g.body == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	if n := copy(p, g.head); n > 0 {
		g.head = g.head[n:]
		return n, nil
	}
	n, err := g.in.Read(p[:min(len(p), g.body)])
	g.body -= n
	return n, err //nolint:wrapcheck // the library does
}

// next reads the head of a frame, and what a command says.
func (g *guard) next() error {
	if g.fault != nil {
		return g.fault
	}
	if err := g.await(); err != nil {
		return err
	}
	flags, size, err := g.readHead()
	if err != nil {
		return err
	}
	g.over = false
	if g.fault = g.check(flags, size); g.fault != nil {
		return g.fault
	}
	if g.over {
		return g.skip(flags, int(size)) //nolint:gosec // within the limit
	}
	if flags&command != 0 && !g.shaking {
		g.head = nil
		return g.take(int(size)) //nolint:gosec // within the limit
	}
	g.body = int(size) //nolint:gosec // within the limit
	return nil
}

// await waits for a message to begin, for as long as that takes. From then on it has
// its time.
func (g *guard) await() error {
	if g.limits.Rest == 0 || g.shaking || g.frames > 0 {
		return nil
	}
	g.deadline(time.Time{})
	if _, err := g.in.Peek(1); err != nil {
		return err //nolint:wrapcheck // the library does
	}
	g.deadline(time.Now().Add(g.limits.Rest))
	return nil
}

func (g *guard) readHead() (flags byte, size uint64, err error) {
	g.head = g.room[:2]
	if _, err := io.ReadFull(g.in, g.head); err != nil {
		g.head = nil
		return 0, 0, err //nolint:wrapcheck // the library does
	}
	if flags = g.head[0]; flags&long == 0 {
		return flags, uint64(g.head[1]), nil
	}
	g.head = g.room[:]
	if _, err := io.ReadFull(g.in, g.head[2:]); err != nil {
		g.head = nil
		return 0, 0, err //nolint:wrapcheck // the library does
	}
	return flags, binary.BigEndian.Uint64(g.head[1:]), nil
}

// check says what is wrong with a frame.
func (g *guard) check(flags byte, size uint64) error {
	switch {
	case flags&^(more|long|command) != 0, flags&command != 0 && flags&more != 0:
		return errFlags
	case g.shaking && (size > maxShake || flags&command == 0):
		return errHandshake
	case flags&command != 0:
		if !g.shaking && size > maxPing {
			return errCommand
		}
		return nil
	}
	return g.count(flags, size)
}

// count takes note of a frame of a message.
func (g *guard) count(flags byte, size uint64) error {
	if g.frames == 0 {
		g.dropped = g.dropped[:0]
	}
	g.frames++
	switch {
	case g.frames > g.limits.Frames:
		return errFrames
	case size > maxSkip:
		return errMessage
	case g.message+int(size) > g.limits.Message:
		g.dropped, g.over = append(g.dropped, g.frames-1), true
	default:
		g.message += int(size)
	}
	if flags&more == 0 {
		g.frames, g.message = 0, 0
	}
	return nil
}

// skip reads a frame that is over the limit, and hands on an empty one.
func (g *guard) skip(flags byte, size int) error {
	if _, err := g.in.Discard(size); err != nil {
		g.head = nil
		return err //nolint:wrapcheck // the library does
	}
	g.room[0], g.room[1] = flags&more, 0
	g.head = g.room[:2]
	return nil
}

// take reads a command.
func (g *guard) take(size int) error {
	body := make([]byte, size)
	if _, err := io.ReadFull(g.in, body); err != nil {
		return err //nolint:wrapcheck // the library does
	}
	if size == 0 || int(body[0]) >= size {
		g.fault = fmt.Errorf("the peer sends a command of %d bytes without a name", size)
		return g.fault
	}
	name := string(body[1 : 1+body[0]])
	return g.command(name, body[1+len(name):])
}
