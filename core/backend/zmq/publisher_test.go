package zmq_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
	"github.com/facet-gateway/facet/core/fault"
)

// pub is a PUB that can be killed.
type pub struct {
	zmtp.Pub
	address string
	running sync.WaitGroup
	stop    context.CancelFunc
}

// publish starts a PUB on loopback, on a free port unless it is told one.
func publish(t testing.TB, address string) *pub {
	t.Helper()
	l := listen(t, address)
	ctx, stop := context.WithCancel(context.Background())
	p := &pub{address: l.Addr().String(), stop: stop}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	p.running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() {
				c, err := zmtp.AcceptPub(ctx, nc, zmtp.Limits{Message: 1 << 10, Frames: 1, Shake: long, Write: long})
				if err != nil {
					return
				}
				defer c.Close()
				defer context.AfterFunc(ctx, c.Close)()
				_ = p.Serve(c)
			})
		}
	})
	t.Cleanup(p.kill)
	return p
}

func (p *pub) kill() {
	p.stop()
	p.running.Wait()
}

func (p *pub) url() string { return "tcp://" + p.address }

// follower is a subscription that runs beside, anew whenever it ends.
type follower struct {
	last, told, lost, begun atomic.Int64
	stop                    context.CancelFunc
	running                 sync.WaitGroup
}

// follow subscribes to a topic whose bodies are numbers, which must not go backwards.
func follow(t testing.TB, c *zmq.Client, topic string) *follower {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	f := &follower{stop: stop}
	f.running.Go(func() {
		for ctx.Err() == nil {
			err := zmq.Subscribe(ctx, c, topic, func() error { f.begun.Add(1); return nil }, func(body []byte, lost uint64) {
				var n int64
				if _, err := fmt.Sscan(string(body), &n); err != nil || n < f.last.Load() {
					t.Errorf("%s: got %.40q after %d", topic, body, f.last.Load())
				}
				f.last.Store(n)
				f.told.Add(1)
				f.lost.Add(int64(lost)) //nolint:gosec // few
			})
			if fault.CodeOf(err) != fault.Unavailable && ctx.Err() == nil {
				t.Errorf("%s: the subscription ended with %v", topic, err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Cleanup(f.end)
	return f
}

func (f *follower) end() {
	f.stop()
	f.running.Wait()
}

// greeting is how a PUB begins.
func greeting() string {
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB\x08Identity\x00\x00\x00\x00"
	return "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x00NULL" + strings.Repeat("\x00", 48) + "\x04" + string(rune(len(ready))) + ready
}

// published is a message of frames as the wire has it.
func published(frames ...string) string {
	var b strings.Builder
	for i, one := range frames {
		flags := byte(2)
		if i < len(frames)-1 {
			flags = 3
		}
		b.Write(binary.BigEndian.AppendUint64([]byte{flags}, uint64(len(one))))
		b.WriteString(one)
	}
	return b.String()
}

// shaken is a PUB that does no more than shake hands, before it does what it is told.
func shaken(does func(c net.Conn)) func(c net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, greeting())
		_, _ = io.ReadFull(c, make([]byte, len(greeting())))
		does(c)
	}
}
