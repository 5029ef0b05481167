package passthrough

// Encode is how a path is sent.
func Encode(path string) string { return encode(path) }
