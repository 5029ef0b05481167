package thrift_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	lib "github.com/apache/thrift/lib/go/thrift"
)

const method = "say"

// The ids of a field in arguments, and of the value in a result.
const (
	argument = 1
	success  = 0
)

// text is what the compiler makes of `string say(1: string words)`: both the arguments
// and the result, in which the value is required.
type text struct {
	id    int16
	value string
}

func (x *text) Write(ctx context.Context, to lib.TProtocol) error {
	return errors.Join(
		to.WriteStructBegin(ctx, "text"), to.WriteFieldBegin(ctx, "value", lib.STRING, x.id), to.WriteString(ctx, x.value),
		to.WriteFieldEnd(ctx), to.WriteFieldStop(ctx), to.WriteStructEnd(ctx))
}

func (x *text) Read(ctx context.Context, from lib.TProtocol) error {
	if _, err := from.ReadStructBegin(ctx); err != nil {
		return err
	}
	set := false
	for {
		_, kind, id, err := from.ReadFieldBegin(ctx)
		switch {
		case err != nil:
			return err
		case kind == lib.STOP && !set:
			return lib.NewTProtocolExceptionWithType(lib.INVALID_DATA, errors.New("required field value is not set"))
		case kind == lib.STOP:
			return from.ReadStructEnd(ctx)
		case kind == lib.STRING && id == x.id:
			x.value, err = from.ReadString(ctx)
			set = true
		default:
			err = from.Skip(ctx, kind)
		}
		if err != nil {
			return err
		}
	}
}

// asked is a call as a server reads it.
type asked struct {
	sequence int32
	words    string
}

// answer returns the frame of an answer.
func (a asked) answer(words string) string {
	return a.message(method, lib.REPLY, func(to lib.TProtocol) error {
		return (&text{id: success, value: words}).Write(context.Background(), to)
	})
}

// exception returns the frame of one that no IDL declares.
func (a asked) exception(kind int32, words string) string {
	return a.message(method, lib.EXCEPTION, func(to lib.TProtocol) error {
		return lib.NewTApplicationException(kind, words).Write(context.Background(), to)
	})
}

// raw returns the frame of an answer whose result is these bytes.
func (a asked) raw(result string) string {
	return a.message(method, lib.REPLY, func(to lib.TProtocol) error {
		_, err := io.WriteString(to.Transport(), result)
		return err
	})
}

func (a asked) message(name string, kind lib.TMessageType, body func(lib.TProtocol) error) string {
	buffer := lib.NewTMemoryBuffer()
	to := lib.NewTCompactProtocolConf(buffer, nil)
	if err := errors.Join(to.WriteMessageBegin(context.Background(), name, kind, a.sequence), body(to)); err != nil {
		panic(err) // memory takes it
	}
	return framed(buffer.String())
}

func framed(payload string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(payload)))) + payload
}

// readCall reads a frame that a client has sent.
func readCall(from *bufio.Reader) (asked, bool) {
	var size uint32
	if binary.Read(from, binary.BigEndian, &size) != nil {
		return asked{}, false
	}
	buffer := lib.NewTMemoryBuffer()
	if _, err := io.CopyN(buffer, from, int64(size)); err != nil {
		return asked{}, false
	}
	protocol := lib.NewTCompactProtocolConf(buffer, nil)
	_, _, sequence, err := protocol.ReadMessageBegin(context.Background())
	args := text{id: argument}
	err = errors.Join(err, args.Read(context.Background(), protocol))
	return asked{sequence, args.value}, err == nil
}

// counted is a server that counts.
type counted struct {
	address               string
	conns, requests, ends atomic.Int64
}

// replies serves connections whose n-th request, counted over all of them from 1, is
// answered with what reply returns; the connection ends if keep is false.
func replies(t testing.TB, reply func(n int, a asked) (raw string, keep bool)) *counted {
	t.Helper()
	s := &counted{}
	s.address = accept(t, func(conn net.Conn) {
		s.conns.Add(1)
		defer s.ends.Add(1)
		defer func() { _ = conn.Close() }() // before it counts as ended
		in := bufio.NewReader(conn)
		for {
			a, ok := readCall(in)
			if !ok {
				return
			}
			raw, keep := reply(int(s.requests.Add(1)), a)
			if _, err := io.WriteString(conn, raw); err != nil || !keep {
				return
			}
		}
	})
	return s
}

func echo(_ int, a asked) (string, bool) { return a.answer(a.words), true }

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

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
