package message

import (
	"context"
	"sync"
)

// Inbox keeps what a subscription brings for whoever is slow to take it: so many
// messages and bytes at most. What is the oldest goes for what comes. Safe for
// concurrent use.
type Inbox struct {
	messages, bytes int

	mu    sync.Mutex
	kept  [][]byte // from first on
	first int
	size  int
	lost  uint64 // since the last one was taken
	told  chan struct{}
}

// NewInbox returns an inbox of so many messages and bytes.
func NewInbox(messages, bytes int) *Inbox {
	return &Inbox{messages: messages, bytes: bytes, told: make(chan struct{}, 1)}
}

// Put adds a message, which is the inbox's from now on. It reports how many are lost
// for it, itself if it is larger than the inbox.
func (b *Inbox) Put(m []byte) (lost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(m) > b.bytes {
		b.lost++
		return 1
	}
	for len(b.kept)-b.first >= b.messages || b.size+len(m) > b.bytes {
		b.drop()
		b.lost++
		lost++
	}
	b.kept = append(b.kept, m)
	b.size += len(m)
	select {
	case b.told <- struct{}{}:
	default:
	}
	return lost
}

// Miss counts messages that were lost before they got here.
func (b *Inbox) Miss(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost += uint64(max(n, 0))
}

// drop forgets the oldest message. The room of those before is used again.
func (b *Inbox) drop() []byte {
	m := b.kept[b.first]
	b.kept[b.first] = nil
	b.first++
	b.size -= len(m)
	if b.first == len(b.kept) || b.first >= b.messages {
		b.kept = append(b.kept[:0], b.kept[b.first:]...)
		clear(b.kept[len(b.kept):cap(b.kept)])
		b.first = 0
	}
	return m
}

// Next returns the oldest message, and how many are lost that would have come before
// it. ok is false if there is none before ctx ends or stop is closed.
func (b *Inbox) Next(ctx context.Context, stop <-chan struct{}) (m []byte, lost uint64, ok bool) {
	for {
		if m, lost, ok = b.pop(); ok {
			return m, lost, true
		}
		select {
		case <-b.told:
		case <-stop:
			return nil, 0, false
		case <-ctx.Done():
			return nil, 0, false
		}
	}
}

func (b *Inbox) pop() (m []byte, lost uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == len(b.kept) {
		return nil, 0, false
	}
	lost, b.lost = b.lost, 0
	return b.drop(), lost, true
}
