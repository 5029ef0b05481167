package stream

import "sync"

// Shape makes a U of each T of a feed, once for all who follow, however many they are
// and whenever they come. It is made at start, so that nothing of a request can be in
// what the requests share. Safe for concurrent use.
type Shape[T, U any] struct{ of func(T) (U, error) }

// NewShape returns the shape of a function, which may be called from several goroutines.
// A panic in it is an error of that value.
func NewShape[T, U any](of func(T) (U, error)) *Shape[T, U] { return &Shape[T, U]{of} }

// Of returns the feed in this shape. A value whose shape is an error is one to those who
// follow (see [Follower.Next]).
func (s *Shape[T, U]) Of(f Feed[T]) Feed[U] {
	below := f.form
	return Feed[U]{origin: f.origin, err: f.err, form: func(e *event) *form { return below(e).in(s, s.make) }}
}

func (s *Shape[T, U]) make(value any) (shaped any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Panicked(v)
		}
	}()
	from, _ := value.(T) // it is one
	return s.of(from)
}

// maxShapes is how many shapes of a value are remembered; more are made each time. A
// value has one for each version of each device class, and its JSON.
const maxShapes = 256

// form is a value, and what shapes have made of it. It is kept as long as its event is.
type form struct {
	value any
	err   error

	mu     sync.Mutex
	shapes []shaped
}

type shaped struct {
	by any // the Shape
	*form
}

// in returns the value in a shape. While it is made, others who want one wait for it.
func (f *form) in(shape any, of func(any) (any, error)) *form {
	if f.err != nil {
		return f
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.shapes {
		if s.by == shape {
			return s.form
		}
	}
	made := &form{}
	made.value, made.err = of(f.value)
	if len(f.shapes) < maxShapes {
		f.shapes = append(f.shapes, shaped{shape, made})
	}
	return made
}
