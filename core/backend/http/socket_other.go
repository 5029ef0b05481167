//go:build !unix

package http

type sender struct{}

func newSender() *sender { return nil }

// send leaves everything to the write that follows. A kept connection cannot be
// looked at here, so it does not serve again.
func (cn *conn) send([]byte) (sent int, ok bool) { return 0, !cn.reused }
