package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

// inventoryZMQ is the inventory over ZeroMQ: a ROUTER. A service that is down breaks
// connections off.
type inventoryZMQ struct {
	service *service
	host    string
	crowd   *crowd
	lines   *lines // nil: not started
}

func bindInventoryZMQ(s *service, _ *store, o *Options) further {
	return &inventoryZMQ{service: s, host: o.Host, crowd: newCrowd()}
}

func (z *inventoryZMQ) start(ctx context.Context) (err error) {
	if z.lines, err = listen(ctx, z.host, z.service); err != nil {
		return err
	}
	z.crowd.run(z.accept)
	return nil
}

func (z *inventoryZMQ) url() string { return "tcp://" + z.lines.Addr().String() }

func (z *inventoryZMQ) drop() {
	if z.lines != nil {
		z.lines.drop()
	}
}

func (z *inventoryZMQ) accept() {
	for {
		raw, err := z.lines.Accept()
		if err != nil {
			return
		}
		z.crowd.run(func() { z.serve(raw) })
	}
}

func (z *inventoryZMQ) serve(raw net.Conn) {
	defer raw.Close() //nolint:errcheck // it may be closed
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
	if z.lines != nil {
		_ = z.lines.Close()
	}
	z.crowd.close()
}
