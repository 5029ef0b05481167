package server

import (
	"encoding/base32"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// requestID returns the client's X-Request-Id if it is one line of 1 to 64 of
// A-Z, a-z, 0-9, "_" and "-"; else a new one.
func requestID(h http.Header) string {
	if ids := h["X-Request-Id"]; len(ids) == 1 && adapter.ValidID(ids[0]) {
		return ids[0]
	}
	return newRequestID()
}

// idEncoding is base32 in lower case: safe in a header, a URL and a shell.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newRequestID returns 80 random bits as 16 characters.
func newRequestID() string {
	var b [10]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint16(b[8:], uint16(rand.Uint32())) //nolint:gosec // the low bits are what is wanted
	return idEncoding.EncodeToString(b[:])
}

// trace returns the trace that the client belongs to, or a new one.
func trace(h http.Header) report.Trace {
	if lines := h["Traceparent"]; len(lines) == 1 {
		if t, ok := report.ParseTraceparent(lines[0]); ok {
			return t
		}
	}
	return report.NewTrace()
}

const userHeader = "X-User-Id"

// user returns who asks, "" for anybody.
func (s *Server) user(h http.Header) (string, error) {
	lines := h[userHeader]
	if s.Auth != AuthHeader || len(lines) == 0 {
		return "", nil
	}
	if len(lines) > 1 || !adapter.ValidID(lines[0]) {
		return "", fault.InvalidField(userHeader, "must be one line of 1 to 64 of A-Z, a-z, 0-9, _ and -")
	}
	return lines[0], nil
}
