package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

// publish serves a PUB until the test ends.
func publish(t testing.TB) (*zmtp.Pub, string) {
	t.Helper()
	l, pub := listen(t), &zmtp.Pub{}
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				c, err := zmtp.AcceptPub(ctx, nc, limits())
				if err != nil {
					return
				}
				defer c.Close()
				defer context.AfterFunc(ctx, c.Close)()
				_ = pub.Serve(c)
			})
		}
	})
	t.Cleanup(func() { end(); _ = l.Close(); running.Wait() })
	return pub, l.Addr().String()
}

func dialSub(t testing.TB, address string, l zmtp.Limits) *zmtp.Conn {
	t.Helper()
	c, err := zmtp.DialSub(t.Context(), &net.Dialer{}, address, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.SetReadDeadline(time.Now().Add(long))
	return c
}

// reaches publishes until a message is sent to so many.
func reaches(t testing.TB, pub *zmtp.Pub, topic, body string, want int) {
	t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(time.Millisecond) {
		n := pub.Publish(topic, []byte(body))
		if n == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is sent to %d, want %d", topic, n, want)
		}
	}
}

// TestPub sends to those who have asked, by the beginnings of topics, and no more once they
// have left.
func TestPub(t *testing.T) {
	pub, address := publish(t)
	one, all := dialSub(t, address, limits()), dialSub(t, address, limits())
	for _, err := range []error{
		one.Ask("stock.p-1"), all.Ask(""), one.Send([]byte("no wish")), one.Send(nil), one.Send([]byte{1, 'x'}, []byte("y")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	reaches(t, pub, "stock.p-10", "a", 2)
	for _, c := range []*zmtp.Conn{one, all} {
		m, err := c.Receive()
		for err == nil && c == all && string(m[1]) != "a" {
			m, err = c.Receive()
		}
		if err != nil || len(m) != 2 || string(m[0]) != "stock.p-10" || string(m[1]) != "a" {
			t.Fatalf("got %q, %v", m, err)
		}
	}
	for _, topic := range []string{"stock.p-2", "stock.p-", "x"} {
		reaches(t, pub, topic, "b", 1)
	}
	if err := one.Leave("stock.p-1"); err != nil {
		t.Fatal(err)
	}
	reaches(t, pub, "stock.p-1", "c", 1)
	all.Close()
	reaches(t, pub, "stock.p-1", "d", 0)
}

// TestPubCutsOffWhoDoesNotRead, and the others go on.
func TestPubCutsOffWhoDoesNotRead(t *testing.T) {
	pub, address := publish(t)
	slow := dialSub(t, address, limits())
	if err := slow.Ask(""); err != nil {
		t.Fatal(err)
	}
	reaches(t, pub, "x", "", 1)
	body := string(make([]byte, 1<<20))
	for end := time.Now().Add(long); pub.Publish("x", []byte(body)) > 0; {
		if time.Now().After(end) {
			t.Fatal("it is not cut off")
		}
	}
	reaches(t, pub, "x", "", 0)
}

// TestSubscriptionsOfTheLibrary: a PUB, and an XPUB, of it for a SUB, and the other way round.
func TestSubscriptionsOfTheLibrary(t *testing.T) {
	for kind, open := range map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{"pub": zmq4.NewPub, "xpub": zmq4.NewXPub} {
		t.Run(kind, func(t *testing.T) {
			pub := open(t.Context())
			defer pub.Close() //nolint:errcheck // the test is over
			if err := pub.Listen("tcp://127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			c := dialSub(t, pub.Addr().String(), limits())
			if err := c.Ask("stock.p-1"); err != nil {
				t.Fatal(err)
			}
			stop := make(chan struct{})
			var sending sync.WaitGroup
			sending.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
						_ = pub.Send(zmq4.NewMsgFrom([]byte("other"), nil))
						_ = pub.Send(zmq4.NewMsgFrom([]byte("stock.p-1"), fmt.Append(nil, n)))
					}
				}
			})
			for range 10 {
				if m, err := c.Receive(); err != nil || len(m) != 2 || string(m[0]) != "stock.p-1" {
					t.Fatalf("got %q, %v", m, err)
				}
			}
			close(stop)
			sending.Wait()
		})
	}
	t.Run("sub", func(t *testing.T) {
		pub, address := publish(t)
		sub := zmq4.NewSub(t.Context())
		defer sub.Close() //nolint:errcheck // the test is over
		if err := sub.Dial("tcp://" + address); err != nil {
			t.Fatal(err)
		}
		if err := sub.SetOption(zmq4.OptionSubscribe, "stock.p-1"); err != nil {
			t.Fatal(err)
		}
		reaches(t, pub, "stock.p-1", "a", 1)
		if m, err := sub.Recv(); err != nil || !bytes.Equal(m.Bytes(), []byte("stock.p-1a")) {
			t.Fatalf("got %q, %v", m.Frames, err)
		}
	})
}

// half accepts one SUB, sends something, and then nothing any more.
func half(t *testing.T, sent ...string) string {
	t.Helper()
	l := listen(t)
	var running sync.WaitGroup
	running.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(long))
		_, _ = c.Write(handshake("PUB"))
		_, _ = io.ReadFull(c, make([]byte, len(handshake("SUB"))))
		for _, one := range sent {
			_, _ = io.WriteString(c, one)
			time.Sleep(20 * time.Millisecond) // so that it comes in parts
		}
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	t.Cleanup(running.Wait)
	return l.Addr().String()
}

// TestRestOfAMessage has its time; what was not begun has all.
func TestRestOfAMessage(t *testing.T) {
	timed := limits()
	timed.Rest = 50 * time.Millisecond
	whole := frame(1, "topic") + frame(0, "body")
	for name, row := range map[string]struct {
		sent []string
		ends bool
	}{
		"a message in parts":       {[]string{whole[:1], whole[1:9], whole[9:]}, false},
		"a ping, and then nothing": {[]string{whole, frame(4, "\x04PING\x00\x0ayou")}, false},
		"half a head":              {[]string{whole, "\x01"}, true},
		"half a frame":             {[]string{whole, frame(1, "topic")[:4]}, true},
		"half a message":           {[]string{whole, frame(1, "topic")}, true},
		"half a ping":              {[]string{whole, "\x04"}, true},
		"half of what is skipped":  {[]string{whole, frame(0, strings.Repeat("x", 2000))[:1900]}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dialSub(t, half(t, row.sent...), timed)
			if m, err := c.Receive(); err != nil || len(m) != 2 || string(m[1]) != "body" {
				t.Fatalf("got %q, %v", m, err)
			}
			ended := make(chan error, 1)
			go func() { _, err := c.Receive(); ended <- err }()
			select {
			case err := <-ended:
				if !row.ends || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(300 * time.Millisecond):
				if row.ends {
					t.Error("it does not end")
				}
				c.Close()
				if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
			}
		})
	}
}

// FuzzServe reads whatever a SUB sends.
func FuzzServe(f *testing.F) {
	f.Add([]byte(frame(0, "\x01stock.p-1") + frame(0, "\x00stock.p-1") + frame(0, "") + frame(1, "\x01a") + frame(0, "b")))
	f.Add([]byte(frame(4, "\x09SUBSCRIBEa")))
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := saying(t, zmtp.AcceptPub, "SUB", sent)
		pub := &zmtp.Pub{}
		if err := pub.Serve(c); err == nil {
			t.Error("it ended without an error")
		}
		if n := pub.Publish("x", nil); n != 0 {
			t.Errorf("it publishes to %d that are gone", n)
		}
	})
}
