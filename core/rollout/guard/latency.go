package guard

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"time"
)

// Latency counts requests by how long they took, in buckets as those of HdrHistogram:
// each doubling from 0.52 ms (2^19 ns) to 34 s (2^35 ns) has 16 of equal width. The
// first bucket is of all below, the last of all above. It is written as text:
// whoever changes the buckets has to give the field of [Counts] another name, so that
// replicas of two builds do not misread each other.
type Latency [buckets]uint64

const (
	lowest  = 19 // the exponent of the least bound but 0
	highest = 35 // that of the greatest
	parting = 4  // 1<<parting buckets for each doubling
	buckets = 1 + (highest-lowest)<<parting + 1
)

// bucketOf returns the bucket of a latency.
func bucketOf(d time.Duration) int {
	switch {
	case d < 1<<lowest:
		return 0
	case d >= 1<<highest:
		return buckets - 1
	}
	exponent := bits.Len64(uint64(d)) - 1
	return 1 + (exponent-lowest)<<parting + int(d>>(exponent-parting))&(1<<parting-1)
}

// bound returns the least latency of a bucket.
func bound(bucket int) time.Duration {
	if bucket == 0 {
		return 0
	}
	doubling, part := (bucket-1)>>parting, (bucket-1)&(1<<parting-1)
	return time.Duration(1<<parting+part) << (lowest - parting + doubling)
}

// bucketFrom returns the first bucket all of which is at or above a latency in
// nanoseconds; false if there is none.
func bucketFrom(ns float64) (bucket int, there bool) {
	if !(ns <= 1<<highest) {
		return 0, false
	}
	d := time.Duration(math.Ceil(ns))
	bucket = bucketOf(d)
	if bound(bucket) < d {
		bucket++
	}
	return bucket, true
}

// total is how many requests there are.
func (l *Latency) total() uint64 {
	var n uint64
	for _, count := range l {
		n = sum(n, count)
	}
	return n
}

// from is how many requests are in a bucket and all above.
func (l *Latency) from(bucket int) (n uint64) {
	for _, count := range l[bucket:] {
		n += count
	}
	return n
}

// quantile returns the bucket that has the request that so large a share lies above.
func (l *Latency) quantile(above float64) int {
	most := uint64(above * float64(l.total()))
	bucket, n := buckets-1, l[buckets-1]
	for n <= most && bucket > 0 {
		bucket--
		n += l[bucket]
	}
	return bucket
}

// milliseconds is the end of that bucket; of the last, its beginning.
func (l *Latency) milliseconds(above float64) float64 {
	end := bound(min(l.quantile(above)+1, buckets-1))
	return float64(end) / float64(time.Millisecond)
}

var errLatency = errors.New("is not the text of a latency")

// MarshalText writes the counts as unsigned variable-length integers (those of
// encoding/binary) in base64url: a run of n empty buckets is 0 and n, and the last
// such is left out. A window's text has some 50 to 400 bytes, at most 1,500.
//
// Its receiver is a value, because encoding/json calls no other for a value.
func (l Latency) MarshalText() ([]byte, error) {
	plain := make([]byte, 0, 2*buckets)
	empty := uint64(0)
	for _, n := range l {
		if n == 0 {
			empty++
			continue
		}
		if empty > 0 {
			plain = binary.AppendUvarint(append(plain, 0), empty)
			empty = 0
		}
		plain = binary.AppendUvarint(plain, n)
	}
	return base64.RawURLEncoding.AppendEncode(nil, plain), nil
}

// UnmarshalText reads what MarshalText wrote, and refuses all else.
func (l *Latency) UnmarshalText(text []byte) error {
	var space [6 * buckets]byte // of numbers up to 2^42
	if base64.RawURLEncoding.DecodedLen(len(text)) > len(space) {
		return errLatency
	}
	plain, err := base64.RawURLEncoding.AppendDecode(space[:0], text)
	if err != nil {
		return errLatency
	}
	return l.read(plain)
}

func (l *Latency) read(plain []byte) error {
	*l = Latency{}
	bucket := uint64(0)
	for len(plain) > 0 {
		n, size := binary.Uvarint(plain)
		run, runSize := uint64(0), 0
		if n == 0 && size > 0 {
			run, runSize = binary.Uvarint(plain[size:])
		}
		switch {
		case size <= 0 || runSize < 0 || n == 0 && runSize == 0: // cut off, or above 64 bits
			return errLatency
		case bucket >= buckets || run > buckets-bucket:
			return errLatency
		case n == 0:
			bucket += run
		default:
			l[bucket] = n
			bucket++
		}
		plain = plain[size+runSize:]
	}
	return nil
}
