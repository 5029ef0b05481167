package http_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/report"
)

type price struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type review struct {
	ID     string `json:"id"`
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Body   string `json:"body"`
	Price  price  `json:"price"`
}

type reviews struct {
	Product string   `json:"product"`
	Reviews []review `json:"reviews"`
}

// bodyOf returns an answer of about size bytes.
func bodyOf(size int) []byte {
	r := reviews{Product: "p-1042"}
	for i := 0; ; i++ {
		r.Reviews = append(r.Reviews, review{
			ID: fmt.Sprintf("r-%d", i), Author: "Mina Ågren", Rating: 4,
			Body:  strings.Repeat("Dry in a storm. ", 4),
			Price: price{Amount: 24900, Currency: "EUR"},
		})
		if body, err := json.Marshal(r); err != nil || len(body) >= size {
			return body
		}
	}
}

// benchServer is the same for every client and as cheap as can be: it answers
// any request that one read brings.
func benchServer(b *testing.B, body []byte) string {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 23 Nov 2026 05:00:00 GMT\r\nContent-Length: %d\r\n\r\n"
	answer := append(fmt.Appendf(nil, header, len(body)), body...)
	return "http://" + serve(b, func(conn net.Conn) {
		in := make([]byte, 4096)
		for {
			if _, err := conn.Read(in); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	})
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs seven calls at a time, as a page does, each with a deadline of
// its own, and reports the CPU of this process, the server's share included.
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

func BenchmarkCall(b *testing.B) {
	for _, size := range []int{800, 2000} {
		body := bodyOf(size)
		b.Run(fmt.Sprintf("this/%d", size), func(b *testing.B) {
			client := newClient(b, http.Options{Instances: []string{benchServer(b, body)}})
			measure(b, func(ctx context.Context) error {
				_, err := http.GetJSON[reviews](ctx, client, "/reviews?product=p-1042")
				return err
			})
		})
		b.Run(fmt.Sprintf("nethttp/%d", size), func(b *testing.B) {
			client := &nethttp.Client{Transport: &nethttp.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}}
			defer client.CloseIdleConnections()
			base := benchServer(b, body)
			measure(b, func(ctx context.Context) error { return netHTTP(ctx, client, base+"/reviews?product=p-1042") })
		})
	}
}

// netHTTP is a call as most people write it.
func netHTTP(ctx context.Context, client *nethttp.Client, url string) error {
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	r.Header.Set("X-Request-Id", "r-1")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return errors.Join(err, answer.Body.Close())
	}
	var value reviews
	return errors.Join(json.Unmarshal(body, &value), answer.Body.Close())
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{800, 2000} {
		body := bodyOf(size)
		b.Run(fmt.Sprintf("sonic/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var value reviews
				if err := http.Unmarshal(string(body), &value); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("encoding-json/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var value reviews
				if err := json.Unmarshal(body, &value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWatch is what it costs to end a call with its context: the deadline
// that every call sets, and the hook that only slow ones need.
func BenchmarkWatch(b *testing.B) {
	address := serve(b, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // at the end of the benchmark
	watched := func(b *testing.B, watch func(context.Context) func() bool) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			if !watch(ctx)() {
				b.Fatal("not stopped")
			}
			cancel()
		}
	}
	stopped := func() bool { return true }
	b.Run("nothing", func(b *testing.B) { watched(b, func(context.Context) func() bool { return stopped }) })
	b.Run("deadline", func(b *testing.B) {
		watched(b, func(context.Context) func() bool {
			if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
				b.Fatal(err)
			}
			return stopped
		})
	})
	b.Run("hook", func(b *testing.B) {
		interrupt := func() { _ = conn.SetDeadline(time.Unix(1, 0)) } // never runs here
		watched(b, func(ctx context.Context) func() bool { return context.AfterFunc(ctx, interrupt) })
	})
}

func BenchmarkTarget(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if http.Path("/products/", "p-1042").Query("limit", "10") == "" {
			b.Fatal("no target")
		}
	}
}
