package simulator

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/adapters/wire"
)

const (
	brokerTimeout = 5 * time.Second // to start one, or to reach one
	maxPayload    = 32 << 20        // bytes, of the broker that is started
)

// inventoryNATS is the inventory over NATS: by a server of the simulator's own, or by
// one that is there. A service that is down has left: nobody listens then.
type inventoryNATS struct {
	service *service
	host    string
	broker  string // URL; "": one is started
	crowd   *crowd
	server  *server.Server // nil: the broker is another's
	conn    *nats.Conn     // nil: not started

	mu   sync.Mutex
	subs []*nats.Subscription // none: it has left
}

func bindInventoryNATS(s *service, _ *store, o *Options) further {
	return &inventoryNATS{service: s, host: o.Host, broker: o.Brokers["nats"], crowd: newCrowd()}
}

func (n *inventoryNATS) start(ctx context.Context) error {
	url := n.broker
	if url == "" {
		if err := n.startServer(); err != nil {
			return err
		}
		url = n.url()
	}
	conn, err := nats.Connect(url, nats.Name("facet simulator"), nats.Timeout(brokerTimeout), nats.MaxReconnects(-1),
		nats.ReconnectWait(100*time.Millisecond), nats.ReconnectJitter(0, 0), nats.IgnoreAuthErrorAbort(),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // else they are printed
	if err == nil {
		n.mu.Lock()
		n.conn = conn
		n.mu.Unlock()
		n.follow()
		err = conn.FlushTimeout(brokerTimeout)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		n.close()
	}
	return err //nolint:wrapcheck // the simulator says of which service
}

var errNoServer = errors.New("the NATS server does not start")

func (n *inventoryNATS) startServer() error {
	s, err := server.NewServer(&server.Options{
		ServerName: "facet-simulator", Host: n.host, Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, MaxPayload: maxPayload,
	})
	if err != nil {
		return err //nolint:wrapcheck // the simulator says of which service
	}
	n.server = s
	n.crowd.run(s.Start)
	if !s.ReadyForConnections(brokerTimeout) {
		n.close()
		return errNoServer
	}
	return nil
}

func (n *inventoryNATS) url() string {
	if n.server != nil && n.server.Addr() != nil {
		return "nats://" + n.server.Addr().String()
	}
	return n.broker
}

// drop leaves while the service is down.
func (n *inventoryNATS) drop() {
	if n.connected() != nil {
		n.follow()
	}
}

// connected returns the connection; nil if it was not started.
func (n *inventoryNATS) connected() *nats.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conn
}

// follow listens, or leaves until the service is up again.
func (n *inventoryNATS) follow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, sub := range n.subs {
		_ = sub.Unsubscribe() // it fails if the connection is closed
	}
	n.subs = nil
	if i := n.service.injury.Load(); i != nil && i.Down {
		_ = n.conn.Flush()
		n.crowd.run(func() { n.await(i) })
		return
	}
	for _, subject := range []string{wire.InventoryStock, wire.InventoryStocks} {
		if sub, err := n.conn.QueueSubscribe(subject, "facet-simulator", n.hear); err == nil {
			n.subs = append(n.subs, sub)
		}
	}
	_ = n.conn.Flush() // so that whoever healed the service finds it
}

func (n *inventoryNATS) await(i *injury) {
	select {
	case <-i.replaced:
		n.follow()
	case <-n.crowd.life.Done():
	}
}

func (n *inventoryNATS) hear(m *nats.Msg) {
	q := question{target: stockTarget(m.Subject, m.Data), head: m.Header.Get}
	n.crowd.answer(n.service, q, func(r reply, err error) {
		if err == nil {
			_ = n.send(m, r) // the broker may be gone
		}
	})
}

func (n *inventoryNATS) send(m *nats.Msg, r reply) error {
	a := nats.NewMsg(m.Reply)
	a.Data = r.body
	a.Header.Set("Content-Type", r.kind)
	if r.cache != "" {
		a.Header.Set("Cache-Control", r.cache)
	}
	if r.status/100 != okStatus/100 {
		a.Header.Set("Nats-Service-Error-Code", strconv.Itoa(r.status))
		a.Header.Set("Nats-Service-Error", r.said())
	}
	if limit := int(n.conn.MaxPayload()) - maxHead; len(a.Data) > limit {
		a.Data = a.Data[:limit] // what the broker takes of it is no answer either
	}
	return m.RespondMsg(a) //nolint:wrapcheck // nobody reads it
}

const (
	okStatus = 200
	maxHead  = 1 << 10 // bytes, of an answer
)

// publish tells who follows a product of its stock.
func (n *inventoryNATS) publish(product string, stock []byte) {
	subject, ok := wire.InventoryChanges(product)
	conn := n.connected()
	if ok && conn != nil && !n.service.down() {
		_ = conn.Publish(subject, stock) // who follows asks anew when the broker was gone
		_ = conn.FlushTimeout(brokerTimeout)
	}
}

func (n *inventoryNATS) close() {
	n.crowd.stop()
	if conn := n.connected(); conn != nil {
		conn.Close()
	}
	if n.server != nil {
		n.server.Shutdown()
		n.server.WaitForShutdown()
	}
	n.crowd.close()
}
