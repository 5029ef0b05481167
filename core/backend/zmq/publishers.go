package zmq

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
	"github.com/facet-gateway/facet/core/balance"
)

// publishers are those of a service, and what is subscribed to, which is the same at all
// of them. A subscription holds for those that are up when it begins: what another one
// has published before it came up is missed, and so is what one publishes that breaks.
type publishers struct {
	life    context.Context //nolint:containedctx // of the connections
	running *sync.WaitGroup
	limits  zmtp.Limits
	dialer  net.Dialer
	lost    atomic.Uint64

	mu      sync.Mutex
	all     map[string]*publisher // by address
	topics  map[string][]*message.Inbox
	changed chan struct{} // closed, and another one, when one is up or is no more
}

// publisher is one PUB socket.
type publisher struct {
	address string
	tried   chan struct{} // closed once the first attempt has ended
	end     context.CancelFunc

	users int   // guarded by the publishers' lock, as all below is
	feed  *feed // nil: there is no connection
	cause error // why there is none
}

func newPublishers(life context.Context, c *Client) *publishers {
	o := c.options
	return &publishers{
		life: life, running: &c.running, dialer: o.dialer(),
		limits: zmtp.Limits{
			Message: o.MaxBody + overhead, Frames: frames, Shake: o.DialTimeout, Write: writing, Rest: silence,
		},
		all: map[string]*publisher{}, topics: map[string][]*message.Inbox{}, changed: make(chan struct{}),
	}
}

// join begins to connect to a publisher, unless somebody else has. Once all have left it,
// the connection ends. An address of "" is no publisher.
func (ps *publishers) join(address string) (leave func()) {
	if address == "" {
		return func() {}
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.all[address]
	if p == nil {
		p = &publisher{address: address, tried: make(chan struct{}), cause: errAway}
		life, end := context.WithCancel(ps.life)
		p.end = end
		ps.all[address] = p
		ps.running.Go(func() { ps.keep(life, p) })
	}
	p.users++
	return func() { ps.leave(p) }
}

func (ps *publishers) leave(p *publisher) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(ps.all, p.address)
		p.end()
	}
}

// keep has one connection to a publisher after another, until life ends.
func (ps *publishers) keep(life context.Context, p *publisher) {
	first := sync.OnceFunc(func() { close(p.tried) })
	defer first()
	dial := func() (*zmtp.Conn, error) { return zmtp.DialSub(life, &ps.dialer, p.address, ps.limits) }
	serve := func(conn *zmtp.Conn) error { return ps.serve(life, p, conn, first) }
	keep(life, dial, serve, func(err error) {
		ps.mu.Lock()
		p.cause = err
		ps.mu.Unlock()
		first()
	})
}

// serve asks for what is subscribed to and hears what is published, until the connection
// ends.
func (ps *publishers) serve(life context.Context, p *publisher, conn *zmtp.Conn, up func()) error {
	f := ps.open(p, conn)
	defer ps.shut(p)
	life, end := context.WithCancel(life)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer end()
	asking.Go(func() {
		_ = attend(life, conn, func() error { return ps.ask(life, f, up) }) // the other end of it says why
	})
	return attend(life, conn, func() error {
		for {
			m, err := conn.Receive()
			if err != nil {
				return err //nolint:wrapcheck // Subscribe does
			}
			ps.hear(m)
		}
	})
}

// open has a connection that nothing was asked of yet.
func (ps *publishers) open(p *publisher, conn *zmtp.Conn) *feed {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.feed = newFeed(conn)
	for topic := range ps.topics {
		p.feed.want(topic)
	}
	return p.feed
}

// rise says that what is published is missed no more.
func (ps *publishers) rise(f *feed) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	f.up = true
	ps.change()
}

func (ps *publishers) shut(p *publisher) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.feed.up {
		ps.change()
	}
	p.feed = nil
}

// change tells all subscriptions. Under the lock.
func (ps *publishers) change() {
	close(ps.changed)
	ps.changed = make(chan struct{})
}

// hear gives a message to those who have subscribed to its topic.
func (ps *publishers) hear(m [][]byte) {
	const parts = 2
	if len(m) == 0 {
		return
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for i, inbox := range ps.topics[string(m[0])] {
		switch {
		case len(m) != parts || m[1] == nil: // it has another form, or is over the limit
			inbox.Miss(1)
			ps.lost.Add(1)
		case i == 0:
			ps.lost.Add(uint64(inbox.Put(m[1]))) //nolint:gosec // never negative
		default:
			ps.lost.Add(uint64(inbox.Put(bytes.Clone(m[1])))) //nolint:gosec // never negative
		}
	}
}

// subscribe has the messages of a topic put into an inbox, until it is told to end.
func (ps *publishers) subscribe(topic string, inbox *message.Inbox) (end func()) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.topics[topic] = append(ps.topics[topic], inbox)
	ps.each(topic, (*feed).want)
	return func() {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		ps.topics[topic] = slices.DeleteFunc(ps.topics[topic], func(one *message.Inbox) bool { return one == inbox })
		if len(ps.topics[topic]) == 0 {
			delete(ps.topics, topic)
			ps.each(topic, (*feed).touch)
		}
	}
}

// each does something with every connection. Under the lock.
func (ps *publishers) each(topic string, do func(f *feed, topic string)) {
	for _, p := range ps.all {
		if p.feed != nil {
			do(p.feed, topic)
		}
	}
}

// status returns the publishers as people see them.
func (ps *publishers) status() []balance.Status {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	list := make([]balance.Status, 0, len(ps.all))
	for _, p := range ps.all {
		one := balance.Status{Address: p.address, State: balance.In}
		if p.feed == nil || !p.feed.up {
			one.State = balance.Out
			if p.cause != nil {
				one.Check = p.cause.Error()[:min(len(p.cause.Error()), maxCause)]
			}
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b balance.Status) int { return cmp.Compare(a.Address, b.Address) })
	return list
}

const maxCause = 200 // bytes
