package stream

// A batch leaves when nothing in its request can add to it: when every goroutine
// of the request waits for an answer from outside. So the scope counts those that
// are at work, evaluating the graph; what runs a call is not, and who waits is
// not. The count is never too low for as long as anybody could ask: an answer
// sets all that wait for it to work before its own goroutine rests.

// starter is a batch that has not left.
type starter interface{ leave(s *Scope) }

// atWork counts n more goroutines that evaluate the graph.
func (s *Scope) atWork(n int) { s.busy.Add(int32(n)) } //nolint:gosec // a request has far fewer than 2^31

// rest counts one less. The last one sends off the batches.
func (s *Scope) rest() {
	if s.busy.Add(-1) == 0 {
		s.flush()
	}
}

// hold keeps a batch until the request is quiet.
func (s *Scope) hold(b starter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
}

// flush sends off what is held while nobody is at work. Between the last rest and
// this an answer may have set somebody to work, who will rest in turn: what is
// held by then may be half of a batch, and is left to them.
func (s *Scope) flush() {
	for _, b := range s.release() {
		b.leave(s)
	}
}

func (s *Scope) release() []starter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy.Load() != 0 {
		return nil
	}
	released := s.batches
	s.batches = nil
	return released
}
