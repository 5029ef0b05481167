package guard

import "sync/atomic"

// Recorder counts the requests of one arm in one window. The zero value is ready. It is
// safe for concurrent use, takes 2 KiB, and costs some 20 ns and no memory a request.
// Its squares have room for a million answers of 4 MiB, or 5·10⁹ of 60 KB.
type Recorder struct {
	failed, degraded, panicked atomic.Uint64
	bytes, squares             atomic.Uint64
	latency                    [buckets]atomic.Uint64
}

// Record counts a request.
//
// The order of its additions is the reverse of that in which Snapshot reads: what is
// read while a request is being counted may lack some of it, but does not contradict itself.
func (r *Recorder) Record(o Outcome) {
	r.latency[bucketOf(o.Took)].Add(1)
	size := uint64(min(max(o.Bytes, 0), maxBytes))
	r.squares.Add(size * size)
	r.bytes.Add(size)
	if o.Failed {
		r.failed.Add(1)
	}
	if o.Degraded {
		r.degraded.Add(1)
	}
	if o.Panicked {
		r.panicked.Add(1)
	}
}

// Snapshot returns what has been counted.
func (r *Recorder) Snapshot() Counts {
	var c Counts
	c.Failed, c.Degraded, c.Panicked = r.failed.Load(), r.degraded.Load(), r.panicked.Load()
	c.Bytes = float64(r.bytes.Load())
	c.Squares = float64(r.squares.Load())
	for i := range r.latency {
		c.Latency[i] = r.latency[i].Load()
	}
	c.Requests = c.Latency.total()
	return c
}
