package zmtp

import "sync"

// What the message of a SUB begins with that asks for a topic, or does no more. Behind it
// is the topic, which stands for all that begin with it.
const (
	leaves = 0
	asks   = 1
)

// Ask asks a PUB for all whose topic begins with this one, which may be empty.
func (c *Conn) Ask(topic string) error { return c.Send(append([]byte{asks}, topic...)) }

// Leave takes back an [Conn.Ask] for the same topic.
func (c *Conn) Leave(topic string) error { return c.Send(append([]byte{leaves}, topic...)) }

// Pub sends what is published to the connections that have asked for it. The zero value is
// ready. Safe for concurrent use.
type Pub struct {
	mu    sync.Mutex
	asked map[*Conn]map[string]struct{}
}

const maxTopics = 1 << 16 // of one connection; further ones are not heard

// Serve hears what a SUB asks for, until its connection ends, and says why it did. It
// closes nothing.
func (p *Pub) Serve(c *Conn) error {
	topics := map[string]struct{}{}
	p.mu.Lock()
	if p.asked == nil {
		p.asked = map[*Conn]map[string]struct{}{}
	}
	p.asked[c] = topics
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.asked, c)
	}()
	for {
		m, err := c.Receive()
		if err != nil {
			return err
		}
		if len(m) == 1 && len(m[0]) > 0 {
			p.hear(topics, m[0][0], string(m[0][1:]))
		}
	}
}

func (p *Pub) hear(topics map[string]struct{}, what byte, topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case what == leaves:
		delete(topics, topic)
	case what == asks && len(topics) < maxTopics:
		topics[topic] = struct{}{}
	}
}

// Publish sends a message of two frames, one after another, to all who have asked for it,
// and returns how many those are. Who does not take it is cut off, see [Limits].
func (p *Pub) Publish(topic string, body []byte) (sent int) {
	for _, c := range p.whoAsked(topic) {
		if c.Send([]byte(topic), body) == nil {
			sent++
		}
	}
	return sent
}

func (p *Pub) whoAsked(topic string) (all []*Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, topics := range p.asked {
		for n := range len(topic) + 1 {
			if _, has := topics[topic[:n]]; has {
				all = append(all, c)
				break
			}
		}
	}
	return all
}
