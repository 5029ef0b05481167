package server

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// packer is a compressor and its buffer, which are dear to make.
type packer struct {
	zip *gzip.Writer
	buf bytes.Buffer
}

// packers are those that no request uses now.
var packers = sync.Pool{New: func() any {
	p := &packer{}
	p.zip, _ = gzip.NewWriterLevel(&p.buf, gzip.BestSpeed) // the level is a valid one
	return p
}}

// compress returns the body as the client wants it: compressed, if it accepts
// gzip and the body is worth it.
func (x *exchange) compress(body []byte, h http.Header) []byte {
	if len(body) < x.server.Limits.GzipMin || !acceptsGzip(x.r.Header["Accept-Encoding"]) {
		return body
	}
	p, _ := packers.Get().(*packer)
	defer packers.Put(p)
	p.buf.Reset()
	p.zip.Reset(&p.buf)
	if _, err := p.zip.Write(body); err != nil {
		return body // a buffer does not fail
	}
	if err := p.zip.Close(); err != nil || p.buf.Len() >= len(body) {
		return body
	}
	h["Content-Encoding"] = gzipEncoding
	return bytes.Clone(p.buf.Bytes())
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip, or anything, with
// a weight over 0.
func acceptsGzip(lines []string) bool {
	accepted := false
	for _, line := range lines {
		for coding := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return weight(parameters) > 0
			case "*":
				accepted = weight(parameters) > 0
			}
		}
	}
	return accepted
}

// weight returns the q of a coding: 1 if it has none, 0 if it is not a number
// from 0 to 1.
func weight(parameters string) float64 {
	q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameters)), "q=")
	if !found {
		return 1
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
	if err != nil || !(w >= 0 && w <= 1) { // NaN is neither
		return 0
	}
	return w
}
