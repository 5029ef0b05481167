package services

// Money is an amount in minor units (cents) of a currency of ISO 4217. That of
// an answer is never negative: an answer that says so is refused.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"` // three capital letters
}

// sound reports whether it can be shown, and charged.
func (m Money) sound() bool {
	if m.Amount < 0 || len(m.Currency) != 3 {
		return false
	}
	for _, c := range []byte(m.Currency) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// allSound reports whether the money of every element of a list is sound.
func allSound[T any](list []T, money func(*T) Money) bool {
	for i := range list {
		if !money(&list[i]).sound() {
			return false
		}
	}
	return true
}
