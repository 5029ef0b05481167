package grpc_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/facet-gateway/facet/core/report"
)

// BenchmarkCall is a call of the client, and one of grpc-go alone, to the same server in
// the same process, whose share is in the CPU that is reported. Seven run at a time, as
// in a page, each with a deadline of its own.
func BenchmarkCall(b *testing.B) {
	text := strings.Repeat("x", 800)
	s := serve(b, echo)
	b.Run("this", func(b *testing.B) {
		client := clientOf(b, s.address)
		measure(b, func(ctx context.Context) error {
			_, err := say(ctx, client, text)
			return err
		})
	})
	b.Run("grpc-go", func(b *testing.B) {
		conn, err := rpc.NewClient("passthrough:///"+s.address, rpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		measure(b, func(ctx context.Context) error {
			return conn.Invoke(ctx, method, wrapperspb.String(text), &wrapperspb.StringValue{})
		})
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
