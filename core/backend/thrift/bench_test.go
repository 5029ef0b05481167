package thrift_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// BenchmarkCall is a call of the client, to a server in the same process whose share is
// in the CPU that is reported. Seven run at a time, as in a page, each with a deadline
// of its own.
func BenchmarkCall(b *testing.B) {
	words := strings.Repeat("x", 800)
	client := clientOf(b, replies(b, echo).address)
	measure(b, func(ctx context.Context) error {
		_, err := say(ctx, client, words)
		return err
	})
}

func measure(b *testing.B, call func(context.Context) error) {
	b.ReportAllocs()
	began := cpuTime(b)
	b.ResetTimer()
	var callers sync.WaitGroup
	for caller := range 7 {
		callers.Go(func() {
			for i := caller; i < b.N; i += 7 {
				ctx, cancel := context.WithTimeout(report.WithCall(b.Context(), report.New("r-1", report.NewTrace()).Begin("x")), time.Second)
				if err := call(ctx); err != nil {
					b.Error(err)
				}
				cancel()
			}
		})
	}
	callers.Wait()
	b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
