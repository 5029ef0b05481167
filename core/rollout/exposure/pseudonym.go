package exposure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// pseudonyms are names in the place of units. They are for one goroutine.
type pseudonyms struct{ mac hash.Hash }

const pseudonymBytes = 16 // 2^64 units until two of them are likely to have one

func newPseudonyms(key []byte) *pseudonyms { return &pseudonyms{hmac.New(sha256.New, key)} }

// of returns the pseudonym of a unit. It is the unit's own name if there is no key.
func (p *pseudonyms) of(unit string) string {
	if p == nil {
		return unit
	}
	p.mac.Reset()
	_, _ = p.mac.Write([]byte(unit)) // a hash never fails
	var sum [sha256.Size]byte
	return hex.EncodeToString(p.mac.Sum(sum[:0])[:pseudonymBytes])
}
