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
