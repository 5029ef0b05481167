package zmq

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

// feed is a connection to a publisher, and what it is asked for. One goroutine asks, and
// whoever subscribes waits for no other. All but conn and wake is guarded by the
// publishers' lock.
type feed struct {
	conn *zmtp.Conn
	wake chan struct{}

	up     bool // and what is subscribed to is asked for
	wishes map[string]*wish
	due    map[string]struct{} // topics to be looked at
}

// wish is a topic that a publisher is asked for.
type wish struct {
	asked chan struct{} // closed once the kernel has it
	at    time.Time     // when that was
}

func newFeed(conn *zmtp.Conn) *feed {
	return &feed{conn: conn, wake: make(chan struct{}, 1), wishes: map[string]*wish{}, due: map[string]struct{}{}}
}

// want has a topic asked for, if it is not yet.
func (f *feed) want(topic string) {
	if f.wishes[topic] == nil {
		f.wishes[topic] = &wish{asked: make(chan struct{})}
	}
	f.touch(topic)
}

// touch has a topic looked at.
func (f *feed) touch(topic string) {
	f.due[topic] = struct{}{}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// ask asks for what is wanted and leaves what no more is, until ctx or the connection
// ends. up is called when the first of it can be taken to be in force.
func (ps *publishers) ask(ctx context.Context, f *feed, up func()) error {
	if err := ps.askAll(f); err != nil {
		return err
	}
	settled := time.NewTimer(settling)
	defer settled.Stop()
	for {
		select {
		case <-f.wake:
			if err := ps.askAll(f); err != nil {
				return err
			}
		case <-settled.C:
			ps.rise(f)
			up()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (ps *publishers) askAll(f *feed) error {
	for {
		topic, w, ok := ps.next(f)
		switch {
		case !ok:
			return nil
		case w == nil:
			if err := f.conn.Leave(topic); err != nil {
				return err //nolint:wrapcheck // it ends the connection
			}
			continue
		}
		if err := f.conn.Ask(topic); err != nil {
			return err //nolint:wrapcheck // it ends the connection
		}
		ps.mu.Lock()
		w.at = time.Now()
		close(w.asked)
		ps.mu.Unlock()
	}
}

// next returns a topic to ask for, or, without a wish, to leave.
func (ps *publishers) next(f *feed) (topic string, w *wish, ok bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for topic := range f.due {
		delete(f.due, topic)
		w, wanted := f.wishes[topic], len(ps.topics[topic]) > 0
		switch {
		case w == nil:
		case wanted && w.at.IsZero():
			return topic, w, true
		case !wanted:
			delete(f.wishes, topic)
			if !w.at.IsZero() {
				return topic, nil, true
			}
		}
	}
	return "", nil, false
}
