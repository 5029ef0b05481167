package simulator_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

// One request over a kept connection, without a fault. The client is bare, so
// that most of the time is the simulator's.
func BenchmarkRequest(b *testing.B) {
	s, _ := start(b, simulator.Options{})
	for _, tt := range pageAnswers {
		b.Run(tt.service, func(b *testing.B) {
			host := strings.TrimPrefix(s.URL(tt.service), "http://")
			conn, err := net.Dial("tcp", host)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = conn.Close() })
			request := []byte("GET " + tt.path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			reader := bufio.NewReader(conn)
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				exchange(b, conn, reader, request)
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used of the processors, client included.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func exchange(b *testing.B, conn net.Conn, reader *bufio.Reader, request []byte) {
	if _, err := conn.Write(request); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatal(resp.Status, err)
	}
}
