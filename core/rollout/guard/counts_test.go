package guard_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/rollout/guard"
)

// counted returns what samples come to.
func counted(samples ...guard.Outcome) guard.Counts {
	var r guard.Recorder
	for _, s := range samples {
		r.Record(s)
	}
	return r.Snapshot()
}

func TestCounts(t *testing.T) {
	t.Parallel()
	got := counted(
		guard.Outcome{Took: time.Millisecond, Bytes: 100},
		guard.Outcome{Took: time.Hour, Bytes: 300, Failed: true, Panicked: true},
		guard.Outcome{Took: -1, Bytes: -5, Degraded: true},
	)
	want := guard.Counts{Requests: 3, Failed: 1, Degraded: 1, Panicked: 1, Bytes: 400, Squares: 100_000}
	want.Latency[0], want.Latency[guard.NumBuckets-1], want.Latency[guard.BucketOf(time.Millisecond)] = 1, 1, 1
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	large := counted(guard.Outcome{Bytes: math.MaxInt})
	if large.Bytes != guard.MaxBytes || large.Validate() != nil {
		t.Errorf("a huge answer counts as %v bytes, %v", large.Bytes, large.Validate())
	}
}

// TestQuantiles are the ends of the buckets that a hundred requests are in, of which
// one is slow.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	samples := make([]guard.Outcome, 100)
	for i := range samples {
		samples[i].Took = 10 * time.Millisecond
	}
	samples[7].Took, samples[8].Took = time.Second, time.Second
	c := counted(samples...)
	if p50, p99 := c.Quantiles(); p50 < 10 || p50 > 10.7 || p99 < 1000 || p99 > 1070 {
		t.Errorf("p50 %v ms, p99 %v ms", p50, p99)
	}
	if p50, p99 := (&guard.Counts{}).Quantiles(); p50 != 0 || p99 != 0 {
		t.Errorf("of no requests p50 is %v ms, p99 %v ms", p50, p99)
	}
}

func TestAddIsCountingAll(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	samples := make([]guard.Outcome, 1_000)
	for i := range samples {
		samples[i] = guard.Outcome{
			Took: time.Duration(r.Int64N(int64(40 * time.Second))), Bytes: r.IntN(1e6),
			Failed: r.IntN(2) == 0, Degraded: r.IntN(3) == 0, Panicked: r.IntN(4) == 0,
		}
	}
	whole, sum := counted(samples...), guard.Counts{}
	for _, part := range [][]guard.Outcome{samples[:10], samples[10:400], nil, samples[400:]} {
		c := counted(part...)
		sum.Add(c)
	}
	if diff := cmp.Diff(whole, sum); diff != "" {
		t.Error(diff)
	}
	if err := sum.Validate(); err != nil {
		t.Error(err)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	for bucket := range guard.NumBuckets {
		low := guard.Bound(bucket)
		if got := guard.BucketOf(low); got != bucket {
			t.Errorf("%v is in bucket %d, want %d", low, got, bucket)
		}
		if from, there := guard.BucketFrom(float64(low)); !there || from != bucket {
			t.Errorf("from %v on is bucket %d, %v; want %d", low, from, there, bucket)
		}
		if bucket == guard.NumBuckets-1 {
			break
		}
		next := guard.Bound(bucket + 1)
		if got := guard.BucketOf(next - 1); got != bucket {
			t.Errorf("%v is in bucket %d, want %d", next-1, got, bucket)
		}
		if from, there := guard.BucketFrom(float64(low) + 0.5); !there || from != bucket+1 {
			t.Errorf("above %v is bucket %d, %v; want %d", low, from, there, bucket+1)
		}
		if width := float64(next-low) / float64(low); bucket > 0 && width > 1.0/16 {
			t.Errorf("bucket %d is %v of its lower end wide", bucket, width)
		}
	}
	for _, beyond := range []float64{float64(guard.Bound(guard.NumBuckets-1)) + 1, math.Inf(1), math.NaN()} {
		if from, there := guard.BucketFrom(beyond); there {
			t.Errorf("all of bucket %d is above %v", from, beyond)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := func() guard.Counts {
		return counted(guard.Outcome{Bytes: 10}, guard.Outcome{Bytes: 20, Took: time.Second}, guard.Outcome{Bytes: 30})
	}
	cases := map[string]struct {
		spoil func(*guard.Counts)
		fails bool
	}{
		"as counted":            {func(*guard.Counts) {}, false},
		"nothing":               {func(c *guard.Counts) { *c = guard.Counts{} }, false},
		"more failed":           {func(c *guard.Counts) { c.Failed = 4 }, true},
		"more degraded":         {func(c *guard.Counts) { c.Degraded = 4 }, true},
		"more panicked":         {func(c *guard.Counts) { c.Panicked = math.MaxUint64 }, true},
		"more requests":         {func(c *guard.Counts) { c.Requests++ }, true},
		"fewer requests":        {func(c *guard.Counts) { c.Requests-- }, true},
		"no latencies":          {func(c *guard.Counts) { c.Latency = guard.Latency{} }, true},
		"latencies around":      {func(c *guard.Counts) { c.Latency[3] = math.MaxUint64 }, true},
		"bytes NaN":             {func(c *guard.Counts) { c.Bytes = math.NaN() }, true},
		"bytes infinite":        {func(c *guard.Counts) { c.Bytes = math.Inf(1) }, true},
		"bytes negative":        {func(c *guard.Counts) { c.Bytes = -1 }, true},
		"bytes too many":        {func(c *guard.Counts) { c.Bytes = 3*guard.MaxBytes + 1 }, true},
		"squares NaN":           {func(c *guard.Counts) { c.Squares = math.NaN() }, true},
		"squares infinite":      {func(c *guard.Counts) { c.Squares = math.Inf(1) }, true},
		"squares too few":       {func(c *guard.Counts) { c.Squares = 1_199 }, true},
		"squares as few as can": {func(c *guard.Counts) { c.Squares = 1_200 }, false},
		"bytes of nothing":      {func(c *guard.Counts) { *c = guard.Counts{Bytes: 1, Squares: 1} }, true},
		"NaN of nothing":        {func(c *guard.Counts) { *c = guard.Counts{Bytes: math.NaN()} }, true},
		"as many as can": {func(c *guard.Counts) {
			*c = guard.Counts{Requests: guard.MaxRequests}
			c.Latency[0] = guard.MaxRequests
		}, false},
		"too many": {func(c *guard.Counts) {
			*c = guard.Counts{Requests: guard.MaxRequests + 1}
			c.Latency[0] = guard.MaxRequests + 1
		}, true},
		"overflowed by a sum": {func(c *guard.Counts) {
			*c = guard.Counts{Requests: math.MaxUint64}
			c.Latency[0] = math.MaxUint64
			other := good()
			c.Add(other)
		}, true},
	}
	for name, tc := range cases {
		c := good()
		tc.spoil(&c)
		if err := c.Validate(); (err != nil) != tc.fails {
			t.Errorf("%s: %v, want a failure: %v", name, err, tc.fails)
		}
	}
}

func TestCountsAsJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]guard.Counts{
		"none":    {},
		"one":     counted(guard.Outcome{Took: time.Second, Bytes: 3, Failed: true}),
		"busy":    busy(3_000_000),
		"extreme": everywhere(2_000_000),
	} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		const most = 1_500
		if len(text) > most {
			t.Errorf("%s: %d bytes, more than %d", name, len(text), most)
		}
		t.Logf("%s: %d bytes", name, len(text))
		var back guard.Counts
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// busy is an arm of so many requests whose latencies are lognormal.
func busy(requests int) guard.Counts {
	r := rand.New(rand.NewPCG(2, 2))
	c := guard.Counts{Requests: uint64(requests), Failed: 1_234, Degraded: 56_789}
	for range requests {
		c.Latency[guard.BucketOf(time.Duration(20e6*math.Exp(0.6*r.NormFloat64())))]++
	}
	c.Bytes, c.Squares = 12_345*float64(requests), 3e8*float64(requests)
	return c
}

// everywhere is an arm with so many requests in each bucket.
func everywhere(each uint64) guard.Counts {
	var c guard.Counts
	for i := range c.Latency {
		c.Latency[i] = each
		c.Requests += each
	}
	return c
}

func TestRubbishIsNotRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no base64":             `{"requests":1,"latency":"!"}`,
		"cut off":               `{"requests":1,"latency":"gA"}`,
		"a run cut off":         `{"requests":1,"latency":"AA"}`,
		"a run of too many":     `{"requests":1,"latency":"AIMCAQ"}`,
		"a run around":          `{"requests":1,"latency":"AP___________wE"}`,
		"above 64 bits":         `{"requests":1,"latency":"____________fw"}`,
		"a bucket too many":     `{"requests":1,"latency":"AIICAQ"}`,
		"a list":                `{"requests":1,"latency":[1]}`,
		"a number":              `{"requests":1,"latency":1}`,
		"a negative number":     `{"requests":-1}`,
		"a fraction":            `{"requests":1.5}`,
		"a number above 64 bit": `{"requests":18446744073709551616}`,
		"bytes above a float":   `{"bytes":1e999}`,
		"not a number":          `{"bytes":NaN}`,
		"text":                  `{"bytes":"1"}`,
	} {
		var c guard.Counts
		if err := json.Unmarshal([]byte(text), &c); err == nil {
			t.Errorf("%s: read as %d requests", name, c.Requests)
		}
	}
	for name, text := range map[string]string{
		"null":           `null`,
		"latency null":   `{"latency":null}`,
		"nothing":        `{}`,
		"the last there": `{"requests":1,"latency":"AIECAQ"}`,
	} {
		var c guard.Counts
		if err := json.Unmarshal([]byte(text), &c); err != nil || c.Validate() != nil {
			t.Errorf("%s: %v, %v", name, err, c.Validate())
		}
	}
}

func FuzzCounts(f *testing.F) {
	for _, c := range []guard.Counts{{}, busy(1_000), everywhere(1)} {
		text, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"requests":1,"latency":"AIMCAQ"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c guard.Counts
		if json.Unmarshal(text, &c) != nil || c.Validate() != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back guard.Counts
		if err := json.Unmarshal(again, &back); err != nil || back != c {
			t.Errorf("%s became %s, %v", text, again, err)
		}
		back.Add(c)
		if back.Requests != 2*c.Requests {
			t.Errorf("twice %d requests are %d", c.Requests, back.Requests)
		}
	})
}
