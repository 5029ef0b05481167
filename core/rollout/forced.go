package rollout

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/facet-gateway/facet/devices"
)

// Forcing lets testers have a version whatever their bucket is, by a token that says
// which, for whom and until when: a JSON Web Token (RFC 7519) signed with HMAC-SHA256
// by a key that the gateway and who makes tokens share. Safe for concurrent use.
type Forcing struct{ key []byte }

// The bounds of forcing.
const (
	minKey     = 32                  // bytes
	longestJWT = 1024                // bytes
	maxForced  = 30 * 24 * time.Hour // of a token's life
	audience   = "facet-version"
	validTime  = 1 * time.Minute // that clocks may differ by
)

// NewForcing returns what makes and reads tokens with a key of at least 32 bytes.
func NewForcing(key []byte) (*Forcing, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("the key has %d bytes; at least %d are needed", len(key), minKey)
	}
	return &Forcing{key}, nil
}

// Pass is what a token says.
type Pass struct {
	Class   devices.Class
	Version string
	Who     string // the tester
	Until   time.Time
}

// claims are a Pass as RFC 7519 has it.
type claims struct {
	jwt.RegisteredClaims
	Version string `json:"facet_version"` // such as "phone/v2"
}

var validTester = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Token makes a token that is valid from now until then, at most 30 days.
func (f *Forcing) Token(what Pass, now time.Time) (string, error) {
	switch life := what.Until.Sub(now); {
	case life <= 0 || life > maxForced:
		return "", errors.New("a token is valid for over 0s and at most 720h")
	case !validTester.MatchString(what.Who):
		return "", errors.New("a tester is named by 1 to 64 of A-Z, a-z, 0-9, _ and -")
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: what.Who, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(what.Until),
		},
		Version: string(what.Class) + "/" + what.Version,
	}).SignedString(f.key)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return text, nil
}

// keyOf returns the key, of a token that asks for nothing that must be understood: a
// reader that does not has to refuse it (RFC 7515, section 4.1.11).
func (f *Forcing) keyOf(t *jwt.Token) (any, error) {
	if _, there := t.Header["crit"]; there {
		return nil, errors.New("it has the header crit")
	}
	return f.key, nil
}

// Read returns what a token says. It fails when the token is not signed with the
// key, by another algorithm, is too old, says no end, lasts for over 30 days, or is of over 1 KiB. A nil
// Forcing reads none.
func (f *Forcing) Read(token string, now time.Time) (Pass, error) {
	if f == nil {
		return Pass{}, errors.New("there is no key to read tokens with")
	}
	if len(token) > longestJWT {
		return Pass{}, fmt.Errorf("the token is longer than %d bytes", longestJWT)
	}
	var said claims
	_, err := jwt.ParseWithClaims(token, &said, f.keyOf,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithAudience(audience), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(validTime), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return Pass{}, fmt.Errorf("read the token: %w", err)
	}
	if said.ExpiresAt.Sub(now) > maxForced+validTime {
		return Pass{}, errors.New("the token is valid for over 720h")
	}
	class, version, _ := strings.Cut(said.Version, "/")
	return Pass{Class: devices.Class(class), Version: version, Who: said.Subject, Until: said.ExpiresAt.Time}, nil
}
