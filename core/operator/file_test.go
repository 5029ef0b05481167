package operator_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/operator"
)

const hashOfTest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// made returns a token and its line.
func made(t testing.TB, name string) (token, line string) {
	t.Helper()
	token, line, err := operator.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return token, line
}

func TestTokensAreRandomAndFindTheirOperator(t *testing.T) {
	t.Parallel()
	alice, one := made(t, "alice")
	bob, two := made(t, "bob-2_x")
	again, _ := made(t, "alice")
	if alice == again || alice == bob {
		t.Fatal("two tokens are one")
	}
	if len(alice) != len("facet_")+43 {
		t.Errorf("a token of %d characters does not hold 256 bits", len(alice))
	}
	if strings.Contains(one, alice) {
		t.Errorf("the line holds the token: %s", one)
	}
	tokens, err := operator.Parse("f", []byte("# who may\r\n\n  "+one+"  \r\n"+two))
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		alice: "alice", bob: "bob-2_x", again: "", "": "", alice + "=": "", alice[:len(alice)-1]: "", strings.ToUpper(alice): "",
		strings.Repeat("x", 1<<20): "", strings.Fields(one)[1]: "",
	} {
		if got, found := tokens.Find(token); got != want || found != (want != "") {
			t.Errorf("%.60q finds %q, %v, want %q", token, got, found, want)
		}
	}
	if tokens.Len() != 2 {
		t.Errorf("%d operators", tokens.Len())
	}
}

func TestNamesOfTokens(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"a": true, "a" + strings.Repeat("b", 31): true, "on-call_2": true,
		"": false, "A": false, "2a": false, "a b": false, "a\nb": false, "a" + strings.Repeat("b", 32): false, "é": false, "a\n": false,
	} {
		if _, _, err := operator.New(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestBadFiles is the table of what is wrong, and of what is said of it.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	token, line := made(t, "carol")
	full := strings.Builder{}
	for range 101 {
		_, line := made(t, "x"+strings.ToLower(strings.Trim(unique(t), "-")))
		full.WriteString(line + "\n")
	}
	for _, c := range []struct{ name, text, want string }{
		{"name", "Alice " + hashOfTest, `f:1: name: "Alice" is none; allowed: a-z, then`},
		{"no hash", "\n\nalice", "f:3: line: has 1 words; allowed: NAME sha256:HASH"},
		{"three words", "alice " + hashOfTest + " x", "f:1: line: has 3 words"},
		{"short hash", "alice sha256:9f86", "f:1: hash: is none; allowed: sha256: and 64"},
		{"other hash", "alice md5:9f86", "f:1: hash: is none"},
		{"capital hash", "alice " + strings.Replace(hashOfTest, "f", "F", 1), "f:1: hash: is none"},
		{"no digits", "alice " + strings.Replace(hashOfTest, "f", "g", 1), "f:1: hash: is none"},
		{"token", "alice " + token, "f:1: hash: is a token"},
		{"twice", line + "\n" + line, `f:2: name: "carol" is there twice, first on line 1`},
		{"shared", "alice " + hashOfTest + "\nbob " + hashOfTest, "f:2: hash: is the one of line 1"},
		{"two faults", "A " + hashOfTest + "\nb x", "f:1: name: \"A\" is none; allowed: " + operator.NameRule + "\nf:2: hash: is none"},
		{"many", full.String(), "f:101: line: is one too many; allowed: at most 100"},
		{"long", strings.Repeat("#", 65<<10), "f: file: is too long; allowed: at most 64 KiB"},
		{"long name", strings.Repeat("é", 100) + " " + hashOfTest, "f:1: name: \"éééééééééééééééééééé…\" is none"},
		{"many faults", strings.Repeat("A x\n", 60), "f: and 10 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := operator.Parse("f", []byte(c.text))
			var list operator.Errors
			if !errors.As(err, &list) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), strings.TrimPrefix(hashOfTest, "sha256:")) {
				t.Errorf("a secret is told: %v", err)
			}
		})
	}
}

// unique is a word that no other has.
func unique(t testing.TB) string {
	token, _ := made(t, "x")
	return strings.ToLower(strings.TrimPrefix(token, "facet_"))[:24]
}

func TestLoad(t *testing.T) {
	t.Parallel()
	_, line := made(t, "alice")
	name := filepath.Join(t.TempDir(), "operators")
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o644: true, 0o400: true, 0o620: false, 0o602: false, 0o666: false} {
		if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		tokens, err := operator.Load(name)
		if (err == nil) != good || good && tokens.Len() != 1 {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := operator.Load(name + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := operator.Load(os.DevNull); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a device: %v", err)
	}
	if _, err := operator.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzParse: whatever a file holds, it is refused line by line or its operators
// have good names.
func FuzzParse(f *testing.F) {
	f.Add("alice " + hashOfTest)
	f.Add("# x\n\nalice " + hashOfTest + "\r\nbob x\n")
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := operator.Parse("f", []byte(text))
		if err == nil {
			if name, found := tokens.Find("test"); found && name == "" {
				t.Error("an operator without a name")
			}
			return
		}
		var list operator.Errors
		if !errors.As(err, &list) || len(list) == 0 {
			t.Errorf("%v", err)
		}
		if strings.Count(err.Error(), "\n") > 50 {
			t.Errorf("too long: %v", err)
		}
	})
}
