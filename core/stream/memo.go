package stream

// memo holds what is shared in a request, by key. Most requests share a
// handful of things, which are compared sooner than they are hashed.
type memo struct {
	few  [8]struct{ key, value any }
	used int
	many map[any]any // the rest
}

// share returns what was first shared under key: value, if nothing was.
func (m *memo) share(key, value any) any {
	if first, ok := m.find(key); ok {
		return first
	}
	if m.used < len(m.few) {
		m.few[m.used].key, m.few[m.used].value = key, value
		m.used++
		return value
	}
	if m.many == nil {
		m.many = make(map[any]any)
	}
	m.many[key] = value
	return value
}

// find returns what is shared under key.
func (m *memo) find(key any) (value any, ok bool) {
	for i := range m.few[:m.used] {
		if m.few[i].key == key {
			return m.few[i].value, true
		}
	}
	value, ok = m.many[key]
	return value, ok
}
