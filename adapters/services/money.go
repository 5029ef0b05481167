package services

// Money is an amount in minor units (cents) of a currency of ISO 4217.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}
