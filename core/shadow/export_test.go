package shadow

// The bounds that tests go to.
const (
	MaxTold      = maxTold
	MaxPlaces    = maxPlaces
	MaxText      = maxText
	MaxUnordered = maxUnordered
	MaxSize      = maxSize
	MaxDepth     = maxDepth
	MaxTallies   = maxTallies
)

// Alive is how many goroutines a runner has.
func Alive(r *Runner) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alive
}

// Canonical is the spelling of a page under rules that equal ones share.
func Canonical(page []byte, rules Rules) (string, bool) {
	v := read(page)
	if _, unknown := v.(rubbish); unknown {
		return "", false
	}
	m := rules.compile()
	if m.ignored() {
		return "", true
	}
	return string(canonical(nil, m, v)), true
}
