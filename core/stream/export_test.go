package stream

// MaxIdle is how many workers wait for work at most.
const MaxIdle = maxIdle

// Idle returns how many workers wait for work.
func Idle(w *Workers) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.idle)
}
