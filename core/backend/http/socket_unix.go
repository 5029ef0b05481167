//go:build unix

package http

import (
	"errors"
	"syscall"
	"time"
)

// quiet reports whether an idle connection is open and has nothing to say. It
// reads nothing and does not block.
func (cn *conn) quiet() bool {
	if cn.raw == nil || cn.nc.SetDeadline(time.Time{}) != nil {
		return false
	}
	var peeked error
	var one [1]byte
	err := cn.raw.Read(func(fd uintptr) bool {
		_, _, peeked = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		return true // never wait
	})
	return err == nil && (errors.Is(peeked, syscall.EAGAIN) || errors.Is(peeked, syscall.EWOULDBLOCK))
}

// sender writes a request and waits until there is something to read, without
// asking first: an answer cannot be there yet, and a read that finds nothing is
// a system call in vain, 2 % of the CPU of a page of seven calls.
type sender struct {
	step func(fd uintptr) bool // s.next; made once, not for each request
	out  []byte
	sent int
	done bool
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
	n, err := syscall.Write(int(fd), s.out)
	s.sent = max(n, 0)
	return err != nil || n < len(s.out)
}

// send returns how many bytes were written, and no error: whatever failed fails
// again in the write or the read that follows.
func (cn *conn) send(p []byte) int {
	if cn.raw == nil {
		return 0
	}
	s := cn.sender
	s.out, s.sent, s.done = p, 0, false
	_ = cn.raw.Read(s.step)
	return s.sent
}
