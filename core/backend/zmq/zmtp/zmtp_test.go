package zmtp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"go.uber.org/goleak"

	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
	"github.com/facet-gateway/facet/core/leaktest"
)

const long = 10 * time.Second

// TestMain fails if a goroutine is left, but for one that a PUB of the library leaves when
// it is closed before it has sent all.
func TestMain(m *testing.M) {
	leaktest.Main(m, goleak.IgnoreAnyFunction("github.com/go-zeromq/zmq4.(*pubMWriter).run"))
}

func limits() zmtp.Limits {
	return zmtp.Limits{Message: 1000, Frames: 4, Shake: time.Second, Write: time.Second}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// raw returns a DEALER, and the other end of its connection once it has shaken hands.
func raw(t testing.TB) (*zmtp.Conn, net.Conn) {
	t.Helper()
	l, other := listen(t), make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(long))
			_, _ = c.Write(handshake("ROUTER"))
			_, _ = io.ReadFull(c, make([]byte, len(handshake("DEALER"))))
		}
		other <- c
	}()
	c, err := zmtp.Dial(t.Context(), &net.Dialer{}, l.Addr().String(), limits())
	o := <-other
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); _ = o.Close() })
	c.SetReadDeadline(time.Now().Add(long))
	return c, o
}

func handshake(kind string) []byte {
	greeting := append([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x00NULL"), make([]byte, 48)...)
	ready := []byte("\x05READY")
	for _, p := range [][2]string{{"Socket-Type", kind}, {"Identity", ""}} {
		ready = append(append(ready, byte(len(p[0]))), p[0]...)
		ready = append(binary.BigEndian.AppendUint32(ready, uint32(len(p[1]))), p[1]...)
	}
	return append(append(greeting, 4, byte(len(ready))), ready...)
}

// frame is one as the wire has it.
func frame(flags byte, body string) string {
	if len(body) > 255 {
		return string(binary.BigEndian.AppendUint64([]byte{flags | 2}, uint64(len(body)))) + body
	}
	return string([]byte{flags, byte(len(body))}) + body
}

// TestSocketsOfTheLibrary are the peers: a ROUTER of it for a DEALER, and the other way
// round.
func TestSocketsOfTheLibrary(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 500)
	t.Run("router", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		router := zmq4.NewRouter(ctx)
		if err := router.Listen("tcp://127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() {
			for {
				m, err := router.Recv()
				if err != nil || len(m.Frames) == 0 {
					return
				}
				_ = router.SendMulti(m)
			}
		})
		c, err := zmtp.Dial(ctx, &net.Dialer{}, router.Addr().String(), limits())
		if err != nil {
			t.Fatal(err)
		}
		for n := range 100 {
			id := fmt.Append(nil, n)
			if err := c.Send(id, nil, body); err != nil {
				t.Fatal(err)
			}
			m, err := c.Receive()
			if err != nil || len(m) != 3 || !bytes.Equal(m[0], id) || m[1] == nil || !bytes.Equal(m[2], body) {
				t.Fatalf("got %q, %v", m, err)
			}
		}
		c.Close()
		cancel()
		_ = router.Close()
		running.Wait()
	})
	t.Run("dealer", func(t *testing.T) {
		l := listen(t)
		var running sync.WaitGroup
		running.Go(func() {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			c, err := zmtp.Accept(t.Context(), nc, limits())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for {
				m, err := c.Receive()
				if err != nil {
					return
				}
				_ = c.Send(m...)
			}
		})
		dealer := zmq4.NewDealer(t.Context())
		if err := dealer.Dial("tcp://" + l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		for n := range 100 {
			if err := dealer.Send(zmq4.NewMsgFrom(fmt.Append(nil, n), body)); err != nil {
				t.Fatal(err)
			}
			if m, err := dealer.Recv(); err != nil || string(m.Frames[0]) != fmt.Sprint(n) || !bytes.Equal(m.Frames[1], body) {
				t.Fatalf("got %q, %v", m.Frames, err)
			}
		}
		_ = dealer.Close()
		running.Wait()
	})
}

// TestHostilePeer sends what no peer should.
func TestHostilePeer(t *testing.T) {
	huge := func(flags byte, size uint64) string {
		return string(binary.BigEndian.AppendUint64([]byte{flags | 2}, size))
	}
	for name, row := range map[string]struct{ sent, fault string }{
		"a frame of 2^63 bytes":  {huge(0, 1<<63), "far over the limit"},
		"a frame of 2^62 bytes":  {huge(0, 1<<62), "far over the limit"},
		"a frame of 100 MiB":     {huge(1, 100<<20), "far over the limit"},
		"frames without end":     {strings.Repeat(frame(1, ""), 5), "too many frames"},
		"unknown flags":          {frame(8, "x"), "flags"},
		"a command of 2^62":      {huge(4, 1<<62), "a command over the limit"},
		"a command in parts":     {frame(5, "x"), "flags"},
		"a command of nothing":   {frame(4, ""), "without a name"},
		"a command cut short":    {frame(4, "\x09PING"), "without a name"},
		"an end in the middle":   {frame(1, "x") + "\x00", "receive"},
		"an end before anything": {"", "receive"},
	} {
		t.Run(name, func(t *testing.T) {
			c, other := raw(t)
			_, _ = io.WriteString(other, row.sent)
			_ = other.(*net.TCPConn).CloseWrite()
			m, err := c.Receive()
			if err == nil || !strings.Contains(err.Error(), row.fault) {
				t.Errorf("got %q, %v, want %q", m, err, row.fault)
			}
		})
	}
}

// TestOversizedFrames cost nobody but their own message.
func TestOversizedFrames(t *testing.T) {
	c, other := raw(t)
	go func() {
		for range 3 {
			_, _ = io.WriteString(other, frame(1, "id")+frame(1, "{}")+frame(0, strings.Repeat("x", 2<<20)))
			_, _ = io.WriteString(other, frame(1, strings.Repeat("x", 600))+frame(1, strings.Repeat("x", 600))+frame(0, "y"))
			_, _ = io.WriteString(other, frame(1, "id")+frame(0, strings.Repeat("x", 998)))
		}
	}()
	for range 3 {
		m, err := c.Receive()
		if err != nil || len(m) != 3 || string(m[0]) != "id" || string(m[1]) != "{}" || m[2] != nil {
			t.Fatalf("got %.80q, %v", m, err)
		}
		m, err = c.Receive()
		if err != nil || len(m) != 3 || len(m[0]) != 600 || m[1] != nil || string(m[2]) != "y" {
			t.Fatalf("got %.80q, %v", m, err)
		}
		m, err = c.Receive()
		if err != nil || len(m) != 2 || len(m[1]) != 998 {
			t.Fatalf("got %.80q, %v", m, err)
		}
	}
}

// TestCommandsAreNotMessages: a PING is answered, whatever is sent meanwhile, and others
// are left alone.
func TestCommandsAreNotMessages(t *testing.T) {
	const pings = 100
	c, other := raw(t)
	got := make(chan string, 1)
	go func() {
		for range pings {
			_, _ = io.WriteString(other, frame(4, "\x04PING\x00\x0ayou"))
		}
		_, _ = io.WriteString(other, frame(4, "\x09SUBSCRIBE")+frame(0, "a message"))
		text, _ := io.ReadAll(other)
		got <- string(text)
	}()
	var sending sync.WaitGroup
	sending.Go(func() {
		for range pings {
			if err := c.Send([]byte("question"), []byte("body")); err != nil {
				t.Error(err)
			}
		}
	})
	if m, err := c.Receive(); err != nil || len(m) != 1 || string(m[0]) != "a message" {
		t.Errorf("got %q, %v", m, err)
	}
	sending.Wait()
	c.Close()
	text := <-got
	whole := strings.Count(text, frame(1, "question")+frame(0, "body"))
	if pongs := strings.Count(text, frame(4, "\x04PONGyou")); pongs != pings || whole != pings {
		t.Errorf("%d pongs and %d whole messages of %d", pongs, whole, pings)
	}
}

// TestHandshakesThatAreNone end in an error, and in no panic.
func TestHandshakesThatAreNone(t *testing.T) {
	good := string(handshake("ROUTER"))
	for name, sent := range map[string]string{
		"nothing":                     "",
		"another protocol":            "HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("x", 64),
		"a peer of another kind":      string(handshake("PUB")),
		"another version":             strings.Replace(good, "\x7f\x03", "\x7f\x01", 1),
		"another security":            strings.Replace(good, "NULL", "PLAI", 1),
		"properties that are cut off": good[:64] + frame(4, "\x05READY\xff"),
		"a length that is cut off":    good[:64] + frame(4, "\x05READY\x01a\x00"),
		"a huge command":              good[:64] + "\x06\x7f\xff\xff\xff\xff\xff\xff\xff",
		"a message":                   good[:64] + frame(0, "\x05READY"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, sent)
				_ = c.SetDeadline(time.Now().Add(long))
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}()
			began := time.Now()
			if c, err := zmtp.Dial(t.Context(), &net.Dialer{}, l.Addr().String(), limits()); err == nil {
				c.Close()
				t.Error("it is taken for one")
			}
			if took := time.Since(began); took > long/2 {
				t.Errorf("that took %v", took)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	l := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	l2 := limits()
	l2.Shake = long
	began := time.Now()
	if _, err := zmtp.Dial(ctx, &net.Dialer{}, l.Addr().String(), l2); err == nil || time.Since(began) > long/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// TestWhoDoesNotRead holds nobody up for longer than a write may take.
func TestWhoDoesNotRead(t *testing.T) {
	c, _ := raw(t)
	began, body := time.Now(), make([]byte, 1<<20)
	var err error
	for err == nil && time.Since(began) < long {
		err = c.Send(body)
	}
	if err == nil || time.Since(began) > long {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// saying returns a connection whose other end says something after its handshake, and goes.
func saying(
	t *testing.T, accept func(context.Context, net.Conn, zmtp.Limits) (*zmtp.Conn, error), as string, sent []byte,
) *zmtp.Conn {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	go func() { _, _ = io.Copy(io.Discard, there) }()
	shaken := make(chan struct{})
	go func() {
		_, _ = there.Write(append(handshake(as), sent...))
		<-shaken
		_ = there.Close()
	}()
	c, err := accept(t.Context(), here, limits())
	close(shaken)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzReceive reads whatever comes after a handshake.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(frame(1, "id") + frame(0, "body")))
	f.Add([]byte(frame(4, "\x04PING\x00\x0ayou") + frame(0, "")))
	f.Add([]byte("\x02\x7f\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := saying(t, zmtp.Accept, "DEALER", sent)
		var err error
		for err == nil {
			var m [][]byte
			m, err = c.Receive()
			size := 0
			for _, one := range m {
				size += len(one)
			}
			if err == nil && (size > 1000 || len(m) > 4 || len(m) == 0) {
				t.Fatalf("%d frames of %d bytes", len(m), size)
			}
		}
	})
}
