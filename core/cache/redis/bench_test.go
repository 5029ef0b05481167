package redis_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache/cachetest"
)

// BenchmarkGet looks entries of 800 bytes up in a real server on loopback; cpu-µs
// is this process's, server-µs the server's.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkGet(b, n, 1) })
		b.Run(fmt.Sprint(n, "-by-16"), func(b *testing.B) { benchmarkGet(b, n, 16) })
	}
}

func benchmarkGet(b *testing.B, n, callers int) {
	server := cachetest.Redis(b)
	r := connected(b, server, patient())
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("p-%d", i)
		r.place(b, keys[i], "product:"+keys[i])
	}
	before := r.shared.Stats()
	b.ReportAllocs()
	b.SetParallelism((callers + 1) / 2)
	own, theirs := cpu(b), ticks(b, server.PID())
	b.ResetTimer()
	if callers == 1 {
		for b.Loop() {
			r.Get(b.Context(), keys)
		}
	} else {
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				r.Get(b.Context(), keys)
			}
		})
	}
	b.StopTimer()
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(b.N) }
	b.ReportMetric(per(cpu(b)-own), "cpu-µs/op")
	b.ReportMetric(per(ticks(b, server.PID())-theirs), "server-µs/op")
	if s := r.shared.Stats(); s.Misses+s.Faults+s.Skipped > before.Misses {
		b.Fatalf("%+v", s)
	}
}

func BenchmarkPut(b *testing.B) {
	server := cachetest.Redis(b)
	r := connected(b, server, patient())
	e := entry("p-1", "product:p-1")
	b.ReportAllocs()
	own := cpu(b)
	for i := 0; b.Loop(); i++ {
		for r.shared.Stats().Queued > 900 { // as fast as the server takes them
			time.Sleep(50 * time.Microsecond)
		}
		e.Stored = time.Now()
		r.Put("p-1", e)
	}
	until(b, "all are written", func() bool { return r.shared.Stats().Queued == 0 })
	b.ReportMetric(float64((cpu(b)-own).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
	if s := r.shared.Stats(); s.Dropped+s.WriteFaults+s.Outdated > 0 {
		b.Fatalf("%+v", s)
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// ticks is the CPU time of another process, in steps of 10 ms.
func ticks(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text))
	var user, system int64
	if _, err := fmt.Sscan(fields[13]+" "+fields[14], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
