package grpc_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// server is a real one, that answers any method but those of health checks.
type server struct {
	address string
	conns   atomic.Int64 // that it has had
	health  *health.Server
	stop    func()
}

// serve answers each request with handle until the test ends.
func serve(t testing.TB, handle func(stream rpc.ServerStream, text string) error) *server {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", handle)
}

func serveAt(t testing.TB, address string, handle func(stream rpc.ServerStream, text string) error) *server {
	t.Helper()
	listener := listen(t, address)
	s := &server{address: listener.Addr().String(), health: health.NewServer()}
	own := rpc.NewServer(rpc.ForceServerCodecV2(raw{}), rpc.UnknownServiceHandler(func(_ any, stream rpc.ServerStream) error {
		var request wrapperspb.StringValue
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		return handle(stream, request.GetValue())
	}))
	grpc_health_v1.RegisterHealthServer(own, s.health)
	served := make(chan error, 1)
	go func() { served <- own.Serve(counting{listener, &s.conns}) }()
	s.stop = sync.OnceFunc(func() {
		own.Stop()
		if err := <-served; err != nil && !errors.Is(err, rpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// echo answers with what it was asked.
func echo(stream rpc.ServerStream, text string) error {
	return stream.SendMsg(wrapperspb.String(text))
}

type counting struct {
	net.Listener
	conns *atomic.Int64
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.conns.Add(1)
	}
	return conn, err
}

// raw sends bytes as they are, and messages as protobuf.
type raw struct{}

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	if bytes, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(bytes)}, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
}

func (raw) Name() string { return proto.Name }

// accept hands every connection to handle, on a goroutine of its own, until the test
// ends; then all connections are closed. It returns the address.
func accept(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	listener := listen(t, "127.0.0.1:0")
	s := &rawServer{open: make(map[net.Conn]bool)}
	s.running.Go(func() { s.accept(listener, handle) })
	t.Cleanup(func() {
		_ = listener.Close()
		s.closeAll()
		s.running.Wait()
	})
	return listener.Addr().String()
}

type rawServer struct {
	running sync.WaitGroup

	mu    sync.Mutex
	ended bool
	open  map[net.Conn]bool
}

func (s *rawServer) accept(listener net.Listener, handle func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		if s.ended {
			_ = conn.Close() // accepted too late
		}
		s.mu.Unlock()
		s.running.Go(func() {
			defer s.forget(conn)
			handle(conn)
		})
	}
}

func (s *rawServer) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	_ = conn.Close() // a handler may have closed it before
}

func (s *rawServer) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for conn := range s.open {
		_ = conn.Close() // its handler ends with it
	}
}
