package http

// Unmarshal is how answers are decoded.
func Unmarshal(body string, value any) error { return request{value: value}.decode(body) }
