package guard

import "time"

// NumBuckets is how many buckets a latency has.
const NumBuckets = buckets

// MaxRequests is how many requests are believed.
const MaxRequests = uint64(maxRequests)

// MaxBytes is how large an answer is counted at most.
const MaxBytes = maxBytes

// BucketOf returns the bucket of a latency.
func BucketOf(d time.Duration) int { return bucketOf(d) }

// Bound returns the least latency of a bucket.
func Bound(bucket int) time.Duration { return bound(bucket) }

// BucketFrom returns the first bucket all of which is at or above a latency.
func BucketFrom(ns float64) (int, bool) { return bucketFrom(ns) }

// AlphaOf returns the part of alpha that a window has.
func AlphaOf(alpha float64, window int) float64 { return alphaOf(alpha, window) }
