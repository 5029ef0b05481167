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

// priced reports whether it can be the price of something: a shop sells nothing for
// nothing.
func (m Money) priced() bool { return m.Amount > 0 && m.sound() }

// sum is a [Money] as a service says it, of what may cost nothing. One that does not say
// its amount is none.
type sum struct {
	Amount   *int64 `json:"amount"`
	Currency string `json:"currency"`
}

// money returns what was said, and whether it says all and can be.
func (s *sum) money() (Money, bool) {
	if s.Amount == nil {
		return Money{}, false
	}
	m := Money{Amount: *s.Amount, Currency: s.Currency}
	return m, m.sound()
}
