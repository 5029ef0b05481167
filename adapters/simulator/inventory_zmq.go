package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

// inventoryZMQ is the inventory over ZeroMQ: a ROUTER that answers, and a PUB that tells
// changes. A service that is down breaks connections off.
type inventoryZMQ struct {
	service *service
	host    string
	crowd   *crowd
	lines   *lines // of the ROUTER; nil: not started
	live    *lines // of the PUB
	pub     zmtp.Pub
}

func bindInventoryZMQ(s *service, _ *store, o *Options) further {
	return &inventoryZMQ{service: s, host: o.Host, crowd: newCrowd()}
}

func (z *inventoryZMQ) start(ctx context.Context) (err error) {
	if z.lines, err = listen(ctx, z.host, z.service); err != nil {
		return err
	}
	if z.live, err = listen(ctx, z.host, z.service); err != nil {
		_ = z.lines.Close() // it has served nobody
		return err
	}
	z.crowd.run(func() { z.accept(z.lines, z.serve) })
	z.crowd.run(func() { z.accept(z.live, z.serveLive) })
	return nil
}

func (z *inventoryZMQ) url() string { return "tcp://" + z.lines.Addr().String() }

func (z *inventoryZMQ) liveURL() string { return "tcp://" + z.live.Addr().String() }

func (z *inventoryZMQ) drop() {
	for _, l := range []*lines{z.lines, z.live} {
		if l != nil {
			l.drop()
		}
	}
}

func (z *inventoryZMQ) accept(from *lines, serve func(net.Conn)) {
	for {
		raw, err := from.Accept()
		if err != nil {
			return
		}
		z.crowd.run(func() {
			defer raw.Close() //nolint:errcheck // it may be closed
			serve(raw)
		})
	}
}

func (z *inventoryZMQ) serve(raw net.Conn) {
	conn, err := zmtp.Accept(z.crowd.life, raw, zmtp.Limits{
		Message: maxBodyBytes, Frames: 8, Shake: headerTimeout, Write: time.Minute,
	})
	if err != nil {
		return
	}
	defer context.AfterFunc(z.crowd.life, conn.Close)()
	for {
		m, err := conn.Receive()
		if err != nil {
			return
		}
		z.hear(raw, conn, m)
	}
}

const (
	maxTopicBytes = 1 << 10
	liveTimeout   = time.Second // for a change to be taken
)

// serveLive has whoever asks for it be told of changes.
func (z *inventoryZMQ) serveLive(raw net.Conn) {
	conn, err := zmtp.AcceptPub(z.crowd.life, raw, zmtp.Limits{
		Message: maxTopicBytes, Frames: 1, Shake: headerTimeout, Write: liveTimeout, Rest: headerTimeout,
	})
	if err != nil {
		return
	}
	defer context.AfterFunc(z.crowd.life, conn.Close)()
	_ = z.pub.Serve(conn) // the client is gone
}

// publish tells who follows a product of its stock.
func (z *inventoryZMQ) publish(product string, stock []byte) {
	if topic, ok := wire.StockTopic(product); ok && !z.service.down() {
		z.pub.Publish(topic, stock)
	}
}

// hear answers a question of the form that core/backend/zmq describes.
func (z *inventoryZMQ) hear(raw net.Conn, conn *zmtp.Conn, m [][]byte) {
	const parts = 4
	if len(m) != parts {
		return // there is nobody to answer
	}
	var head map[string]string
	q := question{target: stockTarget(string(m[1]), m[3]), head: func(name string) string { return head[name] }}
	if json.Unmarshal(m[2], &head) != nil {
		q.target = ""
	}
	z.crowd.answer(z.service, q, func(r reply, err error) {
		switch {
		case errors.Is(err, errBrokenOff):
			z.lines.breakOff(raw.RemoteAddr().String())
		case err == nil:
			_ = conn.Send(m[0], r.about(), r.body) // the client may be gone
		}
	})
}

// about is what is said of an answer.
func (r *reply) about() []byte {
	about := map[string]any{"content_type": r.kind}
	if r.cache != "" {
		about["cache_control"] = r.cache
	}
	if r.status/100 != okStatus/100 {
		about["status"], about["error"] = r.status, r.said()
	}
	text, err := json.Marshal(about)
	if err != nil {
		return nil
	}
	return text
}

func (z *inventoryZMQ) close() {
	z.crowd.stop()
	for _, l := range []*lines{z.lines, z.live} {
		if l != nil {
			_ = l.Close()
		}
	}
	z.crowd.close()
}
