package simulator

import "sync"

// maxMemo bounds the remembered answers: with 2 kB each, some 16 MB.
const maxMemo = 8192

// memoKey names an answer that depends on nothing else.
type memoKey struct {
	service string
	about   string // a product, a user or a zone
	variant int    // of the answer, such as a day
	limit   int
}

// memo remembers encoded answers. When it is full it is emptied.
type memo struct {
	mu      sync.RWMutex
	answers map[memoKey]*answer
}

// get returns the answer of a key; nil if it has to be made.
func (m *memo) get(key memoKey) *answer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.answers[key]
}

// put remembers an answer and returns it.
func (m *memo) put(key memoKey, a *answer) *answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) >= maxMemo {
		clear(m.answers)
	}
	m.answers[key] = a
	return a
}
