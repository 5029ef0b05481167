package stream

import "reflect"

// Watcher sees each value that a page's functions are given: a part's setter,
// which where names, or a function of Map, Then, Each or Some, which where tells
// by the type of its argument. It is called before the function, and what it returns after it,
// on the same goroutine; several functions may run at once.
type Watcher func(where string, value any) (after func())

// Watch has a watcher see what the streams of the request do. It is for tests
// that hold functions to their promise to change nothing, and is called before
// anything runs. A request that nobody watches pays for it with a look at nil.
func (s *Scope) Watch(w Watcher) { s.watcher = w }

// give calls a function of a page with a value.
func give[A, B any](s *Scope, f func(A) B, value A) B {
	if s.watcher == nil {
		return f(value)
	}
	return watched(s, f, value)
}

func watched[A, B any](s *Scope, f func(A) B, value A) B {
	defer s.watcher("a function of "+reflect.TypeFor[A]().String(), value)()
	return f(value)
}
