//go:build unix

package kept

import (
	"errors"
	"syscall"
)

// sender writes a question and waits until there is something to read, without
// asking first: an answer cannot be there yet, and a read that finds nothing is
// a system call in vain. What is there before the question, an answer that nobody
// asked for or the end of the connection, is looked for instead: it must never
// pass for the answer to this question.
type sender struct {
	step    func(fd uintptr) bool // s.next; made once, not for each request
	out     []byte
	sent    int
	kept    bool // the connection has served before: something may be there
	spoiled bool // and it is
	done    bool
}

func newSender() *sender {
	s := &sender{}
	s.step = s.next
	return s
}

// next writes the first time it is called; the second time there is something
// to read. It does not block, and a write that stops halfway ends it.
func (s *sender) next(fd uintptr) bool {
	if s.done {
		return true
	}
	s.done = true
	if s.spoiled = s.kept && !silent(int(fd)); s.spoiled {
		return true
	}
	n, err := syscall.Write(int(fd), s.out)
	s.sent = max(n, 0)
	return err != nil || n < len(s.out)
}

// silent reports whether a connection is open and has nothing to say.
func silent(fd int) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK)
}

// send returns how many bytes were written, and no error: whatever failed fails
// again in the write or the read that follows. It reports false, and nothing was
// written, if a kept connection cannot serve again.
func (c *Conn) send(p []byte) (sent int, ok bool) {
	if c.raw == nil {
		return 0, !c.reused
	}
	s := c.sender
	s.out, s.sent, s.kept, s.spoiled, s.done = p, 0, c.reused, false, false
	_ = c.raw.Read(s.step)
	return s.sent, !s.spoiled && (s.done || !c.reused)
}
