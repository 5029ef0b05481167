package rollout_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/facet-gateway/facet/core/rollout"
)

func forcing(t testing.TB, key string) *rollout.Forcing {
	t.Helper()
	f, err := rollout.NewForcing([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const key = "0123456789abcdef0123456789abcdef"

func TestTokensForce(t *testing.T) {
	t.Parallel()
	f := forcing(t, key)
	what := rollout.Pass{Class: "watch", Version: "v2", Who: "alice", Until: noon.Add(time.Hour)}
	token, err := f.Token(what, noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Read(token, noon.Add(time.Minute))
	if err != nil || got.Class != what.Class || got.Version != what.Version || got.Who != what.Who || !got.Until.Equal(what.Until) {
		t.Errorf("it says %+v, %v", got, err)
	}
}

// TestForgedTokensForceNothing: every one is refused.
func TestForgedTokensForceNothing(t *testing.T) {
	t.Parallel()
	f := forcing(t, key)
	token, err := f.Token(rollout.Pass{Class: "watch", Version: "v2", Who: "alice", Until: noon.Add(time.Hour)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{"facet_version": "watch/v2", "aud": "facet-version", "sub": "eve", "exp": noon.Add(time.Hour).Unix()}
	without := func(name string) jwt.MapClaims {
		less := jwt.MapClaims{}
		for k, v := range claims {
			if k != name {
				less[k] = v
			}
		}
		return less
	}
	signed := func(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	other := base64.RawURLEncoding.EncodeToString([]byte(`{"facet_version":"watch/v3","aud":"facet-version","exp":9999999999}`))
	long := without("exp")
	long["exp"] = noon.Add(31 * 24 * time.Hour).Unix()
	critical := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	critical.Header["crit"] = []string{"x"}
	must, err := critical.SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	for name, forged := range map[string]string{
		"31 days":             signed(jwt.SigningMethodHS256, []byte(key), long),
		"a critical header":   must,
		"nothing":             "",
		"no token":            "alice",
		"no signature":        signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims),
		"another key":         signed(jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), claims),
		"another algorithm":   signed(jwt.SigningMethodHS512, []byte(key), claims),
		"a public key":        signed(jwt.SigningMethodRS256, pair, claims),
		"no end":              signed(jwt.SigningMethodHS256, []byte(key), without("exp")),
		"no audience":         signed(jwt.SigningMethodHS256, []byte(key), without("aud")),
		"another's claims":    parts[0] + "." + other + "." + parts[2],
		"a cut signature":     token[:len(token)-2],
		"a very long one":     token + strings.Repeat("x", 2000),
		"two tokens":          token + "." + token,
		"spaces":              " " + token,
		"one of another port": strings.Replace(token, parts[2], base64.RawURLEncoding.EncodeToString(make([]byte, 32)), 1),
	} {
		if got, err := f.Read(forged, noon); err == nil {
			t.Errorf("%s: it forces %+v", name, got)
		}
	}
	for name, now := range map[string]time.Time{"too late": noon.Add(2 * time.Hour), "before it was made": noon.Add(-time.Hour)} {
		if _, err := f.Read(token, now); err == nil {
			t.Errorf("%s it is read", name)
		}
	}
	if _, err := (*rollout.Forcing)(nil).Read(token, noon); err == nil {
		t.Error("without a key it is read")
	}
}

func TestTokensHaveBounds(t *testing.T) {
	t.Parallel()
	if _, err := rollout.NewForcing(make([]byte, 31)); err == nil {
		t.Error("a short key is taken")
	}
	f := forcing(t, key)
	for name, what := range map[string]rollout.Pass{
		"no time":  {Who: "alice", Until: noon},
		"31 days":  {Who: "alice", Until: noon.Add(31 * 24 * time.Hour)},
		"nobody":   {Until: noon.Add(time.Hour)},
		"a stroke": {Who: "a\nb", Until: noon.Add(time.Hour)},
	} {
		if token, err := f.Token(what, noon); err == nil {
			t.Errorf("%s: it is made: %s", name, token)
		}
	}
}

// FuzzRead: nothing but a signed token forces anything.
func FuzzRead(f *testing.F) {
	forces := forcing(f, key)
	token, err := forces.Token(rollout.Pass{Class: "watch", Version: "v2", Who: "alice", Until: noon.Add(time.Hour)}, noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := forces.Read(text, noon)
		if err == nil && (got.Version != "v2" || got.Class != "watch") {
			t.Errorf("%q forces %+v", text, got)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	f := forcing(b, key)
	token, err := f.Token(rollout.Pass{Class: "watch", Version: "v2", Who: "alice", Until: noon.Add(time.Hour)}, noon)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Read(token, noon); err != nil {
			b.Fatal(err)
		}
	}
}
