//go:build !unix

package http

// quiet reports false where a connection cannot be looked at: a new one is
// dialed instead.
func (cn *conn) quiet() bool { return false }
