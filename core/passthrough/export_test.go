package passthrough

import "net/url"

// Spell is how the rest of a path is sent, behind so many bytes of a prefix.
func Spell(u *url.URL, prefix int) string { return spell(sent(u), prefix) }
