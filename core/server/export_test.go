package server

import "bytes"

// Grow returns the records of a page that grows through bodies, a line each.
func Grow(bodies ...string) []byte {
	p := &progress{framing: framings["application/x-ndjson"]}
	var b bytes.Buffer
	for _, body := range bodies {
		p.add(&b, []byte(body))
		p.begun = p.begun || b.Len() > 0
	}
	return b.Bytes()
}
