package command

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies are how long runs took in the last 8 to 10 s, and the answers that
// they were made for, in microseconds and with an error of at most 1 %, whatever
// their size (http://hdrhistogram.org). There is no memory for it until something
// is recorded: then 24 KiB a span and kind. For one goroutine at a time.
type latencies [spans]span

// The window is of five spans, of which the last has just begun.
const (
	spans      = 5
	spanLength = window / spans
)

// span is what took how long in one fifth of the window.
type span struct {
	number int64
	took   [kinds]*hdrhistogram.Histogram // of microseconds; nil: nothing was ever recorded
}

// kind is what took its time. Most answers take as long as their run, and are
// recorded once.
type kind int

const (
	runAndAnswer kind = iota
	runOnly
	answerOnly // with what was looked up before the run, and what stood in after it
	kinds
)

// longest is the longest that is told apart; what took longer counts as this.
const longest = maxTimeout

// newHistogram keeps two significant digits: a bucket is at most 1/128 of its values wide.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest.Microseconds(), 2) }

// record takes down what ended at a moment.
func (l *latencies) record(at time.Duration, of kind, microseconds uint32) {
	number := int64(at / spanLength)
	s := &l[number%spans]
	if number < s.number { // held up for the whole window
		return
	}
	if number > s.number {
		s.turn(number)
	}
	if s.took[of] == nil {
		s.took[of] = newHistogram()
	}
	_ = s.took[of].RecordValue(int64(microseconds)) // it is in range
}

// turn empties a span that was of an earlier time.
func (s *span) turn(number int64) {
	for _, h := range s.took {
		if h != nil {
			h.Reset()
		}
	}
	s.number = number
}

// addTo adds what is in a span of the window that ends now.
func (s *span) addTo(sum *hdrhistogram.Histogram, now time.Duration, of kind) {
	last := int64(now / spanLength)
	if s.took[of] != nil && s.number > last-spans && s.number <= last {
		sum.Merge(s.took[of])
	}
}

// merged keeps histograms to add up in.
var merged = sync.Pool{New: func() any { return newHistogram() }}

func newSum() *hdrhistogram.Histogram {
	sum, _ := merged.Get().(*hdrhistogram.Histogram)
	sum.Reset()
	return sum
}

func latencyOf(sum *hdrhistogram.Histogram, percentiles []float64) Latency {
	told := Latency{Count: sum.TotalCount(), Mean: micros(int64(sum.Mean())), At: make([]time.Duration, len(percentiles))}
	for i, value := range sum.ValueAtPercentilesSlice(percentiles) {
		told.At[i] = micros(value)
	}
	return told
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// bounds are the upper ends of the buckets of [Durations], dense around what
// calls are given: 300 ms, unless the configuration says otherwise.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// durations count what took how long since the start: the coarse form of it that
// can be added up over replicas and time. For one goroutine at a time.
type durations struct {
	buckets [len(bounds) + 1]uint64 // the last: longer than all bounds
	sum     time.Duration
}

func (d *durations) add(took time.Duration) {
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	d.buckets[i]++
	d.sum += took
}

func (d *durations) read() Durations {
	told := Durations{Sum: d.sum, Buckets: make([]Bucket, len(bounds))}
	for i, n := range d.buckets {
		told.Count += n
		if i < len(bounds) {
			told.Buckets[i] = Bucket{UpTo: bounds[i], Count: told.Count}
		}
	}
	return told
}
