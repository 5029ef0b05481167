package http

// Unmarshal is how answers are decoded.
var Unmarshal = unmarshal
