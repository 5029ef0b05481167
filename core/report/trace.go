package report

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Trace is the identity of a request in a distributed trace, after W3C Trace
// Context level 2 (https://www.w3.org/TR/trace-context-2/).
type Trace struct {
	ID    [16]byte
	Flags byte // bit 0: sampled
}

const traceparentLen = len("00-") + 32 + len("-") + 16 + len("-01")

// NewTrace returns a new random trace that is not sampled.
func NewTrace() Trace {
	var t Trace
	binary.LittleEndian.PutUint64(t.ID[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t.ID[8:], rand.Uint64()|1) // never all zero
	t.Flags = randomFlag
	return t
}

// Flag bits of level 2: the trace was sampled; its id is random.
const (
	sampledFlag = 0x01
	randomFlag  = 0x02
)

// ParseTraceparent reads a traceparent header. It reports false for anything
// the recommendation calls invalid; the caller then starts a new trace.
func ParseTraceparent(header string) (Trace, bool) {
	var t Trace
	future := len(header) > traceparentLen && header[:2] != "00" && header[traceparentLen] == '-'
	if len(header) != traceparentLen && !future {
		return t, false
	}
	header = header[:traceparentLen]
	if header[2] != '-' || header[35] != '-' || header[52] != '-' || header[:2] == "ff" {
		return t, false
	}
	var version, flags [1]byte
	var parent [8]byte
	ok := unhex(version[:], header[:2]) && unhex(t.ID[:], header[3:35]) &&
		unhex(parent[:], header[36:52]) && unhex(flags[:], header[53:55])
	if !ok || t.ID == [16]byte{} || parent == [8]byte{} {
		return Trace{}, false
	}
	t.Flags = flags[0] & (sampledFlag | randomFlag)
	return t, true
}

// unhex decodes lower-case hexadecimal only, as the recommendation demands.
func unhex(dst []byte, src string) bool {
	for i := range len(src) {
		if c := src[i]; c >= 'A' && c <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(dst, []byte(src))
	return err == nil
}

// AppendTraceparent appends the header for one outgoing call, with a parent id
// of its own, to dst.
func (t Trace) AppendTraceparent(dst []byte) []byte {
	var parent [8]byte
	binary.LittleEndian.PutUint64(parent[:], rand.Uint64()|1)
	dst = append(dst, "00-"...)
	dst = hex.AppendEncode(dst, t.ID[:])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, parent[:])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, []byte{t.Flags})
}

// String returns the trace id in hexadecimal.
func (t Trace) String() string { return hex.EncodeToString(t.ID[:]) }
