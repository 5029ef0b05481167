package stream

import (
	"context"
	"sync"

	"github.com/facet-gateway/facet/core/report"
)

// Collapser makes one call of the many that a request has for one kind of thing,
// as a Hystrix request collapser does, but without a timer: a batch leaves as
// soon as nothing in the request can add to it, or when it is full. It is made
// once, and safe for concurrent use.
type Collapser[K comparable, V any] struct {
	Limit int // keys in a batch, at least 1
	// Known returns the answer to a key that is at hand, which takes no room in a
	// batch, as that of a [Question]. Nil: no answer is.
	Known func(context.Context, K) (a Answered[V], ok bool)
	// One makes the call of a batch of one key.
	One func(context.Context, K) (V, report.Mark, error)
	// Many makes the call of a batch: it returns an answer for each key, in order.
	// It runs on a goroutine of its own and may panic, as the call of a [Source].
	Many func(context.Context, []K) []Answered[V]
}

// Answered is what a call for many keys came to for one of them.
type Answered[V any] struct {
	Value V
	Mark  report.Mark
	Err   error
}

// Stream returns the stream of the answer to a key. In one request a key is
// asked for once.
func (c *Collapser[K, V]) Stream(key K) Stream[V] {
	return Stream[V]{&collapsed[K, V]{collapser: c, key: key}}
}

// collapsed is one key.
type collapsed[K comparable, V any] struct {
	collapser *Collapser[K, V]
	key       K

	mu    sync.Mutex
	scope *Scope     // the request that has the seat
	seat  seat[K, V] // of the key
}

func (n *collapsed[K, V]) begin(s *Scope, vital bool) { n.sit(s, vital) }

// sit takes the seat of the key, or returns that it has.
func (n *collapsed[K, V]) sit(s *Scope, vital bool) seat[K, V] {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.scope != s || vital {
		n.scope, n.seat = s, n.collapser.in(s).join(s, n.key, vital)
	}
	return n.seat
}

func (n *collapsed[K, V]) await(s *Scope) answer[V] {
	found, ready := n.find(s)
	return answered(found, ready)
}

func (n *collapsed[K, V]) settle(s *Scope) error {
	found, _ := n.find(s)
	return found.Err
}

// find returns the answer to the key, and when it was ready: the one at hand, or
// that of the batch that has the key, for which it waits.
func (n *collapsed[K, V]) find(s *Scope) (*Answered[V], stamp) {
	seat := n.sit(s, false)
	if seat.known != nil {
		return seat.known, seat.since
	}
	if err := seat.batch.wait(s); err != nil {
		return &Answered[V]{Err: err}, s.now()
	}
	return &seat.batch.answer.value[seat.index], seat.batch.answer.ready
}

// in returns the batches of a request.
func (c *Collapser[K, V]) in(s *Scope) *batches[K, V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.memo.find(c); ok {
		return found.(*batches[K, V]) //nolint:forcetypeassert // nothing else is shared under c
	}
	made := &batches[K, V]{collapser: c}
	s.memo.share(c, made)
	return made
}

// batches are those of one collapser in one request.
type batches[K comparable, V any] struct {
	collapser *Collapser[K, V]

	mu    sync.Mutex
	only  K                // the first key, which is often the only one
	first seat[K, V]       // where that is; zero: there is none yet
	seats map[K]seat[K, V] // of the others
	open  *batch[K, V]     // nil: none has room
}

// several is how many keys a page asks for if it is more than one.
const several = 32

// seat is the place of a key: its answer is the batch's at the index, or is known.
type seat[K comparable, V any] struct {
	batch *batch[K, V]
	index int
	known *Answered[V]
	since stamp
}

func (s *seat[K, V]) empty() bool { return s.batch == nil && s.known == nil }

// join returns the seat of a key; a new key takes one in the batch that has room.
func (b *batches[K, V]) join(s *Scope, key K, vital bool) seat[K, V] {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, known := b.find(key)
	if !known {
		at = b.take(s, key)
	}
	switch {
	case !vital:
	case at.known == nil:
		at.batch.needs(at.index)
	case at.known.Err != nil:
		s.fail(at.known.Err)
	}
	return at
}

func (b *batches[K, V]) find(key K) (seat[K, V], bool) {
	if !b.first.empty() && b.only == key {
		return b.first, true
	}
	at, known := b.seats[key]
	return at, known
}

// take gives a key its seat: in no batch, if its answer is at hand.
func (b *batches[K, V]) take(s *Scope, key K) seat[K, V] {
	at, known := b.inherit(s, key)
	if !known {
		at, known = b.know(s, key)
	}
	if !known {
		at = b.board(s, key)
	}
	switch {
	case b.first.empty():
		b.only, b.first = key, at
	case b.seats == nil:
		b.seats = make(map[K]seat[K, V], several)
		b.seats[key] = at
	default:
		b.seats[key] = at
	}
	return at
}

// know returns the seat of a key whose answer is at hand. A panic says that none
// is: the call will say what is wrong.
func (b *batches[K, V]) know(s *Scope, key K) (at seat[K, V], ok bool) {
	if b.collapser.Known == nil {
		return at, false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	a, ok := b.collapser.Known(s.ctx, key)
	if ok {
		at = seat[K, V]{known: &a, since: s.now()}
	}
	return at, ok
}

// board gives a key a seat in the batch that has room. A full one departs.
func (b *batches[K, V]) board(s *Scope, key K) seat[K, V] {
	if b.open == nil {
		b.open = newBatch(s, b)
		s.hold(b.open)
	}
	at := seat[K, V]{batch: b.open, index: len(b.open.keys)}
	b.open.keys = append(b.open.keys, key)
	if len(b.open.keys) >= b.collapser.Limit {
		b.open.depart(s)
		b.open = nil
	}
	return at
}

// batch is one call for the keys that came together. The lock of the batches
// guards all but the source.
type batch[K comparable, V any] struct {
	source[[]Answered[V]]
	of      *batches[K, V]
	keys    []K
	room    [1]K  // for the first of them
	left    bool  // keys is complete
	vitals  []int // indexes of the keys whose failure ends the request
	answers []Answered[V]
}

func newBatch[K comparable, V any](s *Scope, of *batches[K, V]) *batch[K, V] {
	b := &batch[K, V]{of: of}
	b.keys = b.room[:0]
	b.question, b.scope = caller[[]Answered[V]](b.ask), s
	b.open()
	return b
}

// leave closes the batch to further keys and makes its call.
func (b *batch[K, V]) leave(s *Scope) {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	if b.of.open == b {
		b.of.open = nil
	}
	b.depart(s)
}

// depart makes the call, once. When the request is over, nobody waits for it.
func (b *batch[K, V]) depart(s *Scope) {
	if !b.left && !s.over() {
		b.left = true
		b.launch(s)
	}
}

func (b *batch[K, V]) ask(ctx context.Context) (all []Answered[V], _ report.Mark, _ error) {
	if len(b.keys) == 1 {
		value, mark, err := b.of.collapser.One(ctx, b.keys[0])
		all = []Answered[V]{{value, mark, err}}
	} else {
		all = b.of.collapser.Many(ctx, b.keys)
	}
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.answers = all
	for _, index := range b.vitals {
		b.failFor(index)
	}
	return all, report.Mark{}, nil
}

// needs makes the failure of a key, or of the whole call, the request's.
func (b *batch[K, V]) needs(index int) {
	b.setVital()
	if b.answers != nil {
		b.failFor(index)
		return
	}
	b.vitals = append(b.vitals, index)
}

func (b *batch[K, V]) failFor(index int) {
	if err := b.answers[index].Err; err != nil {
		b.scope.fail(err)
	}
}
