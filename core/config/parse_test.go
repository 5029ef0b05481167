package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/devices"
)

const services = `
services:
  catalog:
    instances: [http://127.0.0.1:9001]
  cart:
    instances: [http://127.0.0.1:9002]
`

func TestBytesThatAreNoText(t *testing.T) {
	for _, tc := range []struct{ name, data, want string }{
		{"nul", "listen: \x00", "f:1:9: not a text character"},
		{"broken UTF-8", "# é\nlog: {level: \xff}", "f:2:14: not a text character"},
		{"escape", "# \x1b[31m", "f:1:3: not a text character"},
		{"UTF-16", "\xff\xfel\x00", "f:1:1: not a text character"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Parse("f", []byte(tc.data), known())
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestMarksAndLineEndsOfOtherSystems(t *testing.T) {
	data := "\ufeff" + strings.ReplaceAll("listen: 127.0.0.1:7000"+services, "\n", "\r\n")
	c, err := config.Parse("f", []byte(data), known())
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:7000" {
		t.Errorf("listen %q", c.Listen)
	}
}

// TestLargeFiles gives the parser what is expensive for it, at the largest size
// that is read at all. The race detector makes each of them several times dearer and
// finds nothing in a parser of one goroutine, so with it most are smaller, though
// still past every bound; five of them are whole in any case.
func TestLargeFiles(t *testing.T) {
	for name, tc := range largeFiles(raceSize) {
		t.Run(name, func(t *testing.T) { refusedInTime(t, tc) })
	}
	whole := largeFiles(maxFile)
	for _, name := range []string{"one byte over", "colons", "items", "brackets", "literal"} {
		t.Run("whole "+name, func(t *testing.T) { refusedInTime(t, whole[name]) })
	}
}

const maxFile = 1 << 20

// largeFile is a file and what the error has to say of it.
type largeFile struct{ data, want string }

func refusedInTime(t *testing.T, file largeFile) {
	start := time.Now()
	_, err := config.Parse("f", []byte(file.data), known())
	if err == nil || !strings.Contains(err.Error(), file.want) {
		t.Fatalf("got %.200v, want %s", err, file.want)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if len(err.Error()) > 50_000 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

func largeFiles(size int) map[string]largeFile {
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size-20; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]largeFile{
		"one byte over":   {strings.Repeat("#", maxFile+1), "f:1:1: the file is too large; allowed: at most 1MiB"},
		"brackets":        {repeat("["), "f:1:33: nested too deeply"},
		"braces":          {repeat("{a: "), "f:1:129: nested too deeply"},
		"dashes":          {repeat("- "), "f:1:65: nested too deeply"},
		"questions":       {repeat("? "), `f:1:1: "?" is not supported`},
		"colons":          {repeat("a: "), "too many values"},
		"names":           {numbered("k%d: 1\n"), "too many values"},
		"names in braces": {"{" + numbered("k%d: 1,"), "too many values"},
		"items":           {repeat("- a\n"), "too many values"},
		"anchors":         {repeat("&a "), "f:1:1: anchors and aliases are not supported"},
		"documents":       {repeat("---\n"), "f:2:1: a second document starts"},
		"comments":        {repeat("# a\n"), "f:1:1: the file is empty"},
		"blank lines":     {repeat("\n"), "f:1:1: the file is empty"},
		"spaces":          {repeat(" "), "f:1:1: the file is empty"},
		"long name":       {strings.Repeat("a", size-3) + ": 1", "the name before this colon is too long"},
		"long name above": {strings.Repeat("a", size/2) + ":\n" + numbered(" k%d: 1\n")[:50_000], "is too long"},
		"indented":        {indented(), "indented too far"},
		"long value":      {"listen: " + strings.Repeat("a", size-8), "f:1:9: listen: "},
		"quoted":          {`listen: "` + strings.Repeat("a\n", size/2-5) + `"`, "f:1:9: listen: "},
		"literal":         {"listen: |\n" + strings.Repeat(" a\n", size/3-5), "f:1:9: listen: is text of several lines"},
		"most names":      {numbered("k%d: 1\n")[:55_000] + ": 1\n", "unknown field"},
	}
}

func indented() string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestErrorsPrintFifty(t *testing.T) {
	var list config.Errors
	for i := range 53 {
		list = append(list, config.Error{File: "f", Line: i + 1, Column: 1, Message: "wrong"})
	}
	lines := strings.Split(list.Error(), "\n")
	if len(lines) != 51 || lines[49] != "f:50:1: wrong" || lines[50] != "f: and 3 more" {
		t.Errorf("got %q", lines)
	}
}

func TestMemcachedIsWarnedOf(t *testing.T) {
	c, err := config.Parse("f", []byte(services+"cache: {memcached: [\"127.0.0.1:11211\", \"cache-2:11211\"]}\n"), known())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "neither tags nor a refresh that replicas share") {
		t.Errorf("got %q", c.Warnings)
	}
	if len(c.Cache.Memcached) != 2 || c.Cache.Prefix != "facet" {
		t.Errorf("got %+v", c.Cache)
	}
}

func TestWarnings(t *testing.T) {
	data := services + "    commands: {get: {timeout: 2s}}\nserver: {write_timeout: 700ms}\npages: {home: {budget: 1s}}\n"
	c, err := config.Parse("f", []byte(data), known())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"services.cart.commands.get.timeout: 2s is longer than 1s, the largest page budget, which ends the call first",
		"server.write_timeout: 700ms is not longer than 1s, the largest page budget: slow pages are cut off",
	}
	if got := strings.Join(c.Warnings, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestARemoteThatLeavesNoTimeWarns(t *testing.T) {
	data := strings.TrimPrefix(services, "\n") + "pages: {home: {budget: 400ms}}\n" +
		"rollout: {remotes: {tv/v7: {instances: [\"http://127.0.0.1:9003\"]}}}\n"
	c, err := config.Parse("f", []byte(data), known())
	if err != nil {
		t.Fatal(err)
	}
	want := `rollout.remotes."tv/v7".timeout: 500ms leaves control no time of the budget of home, which is 400ms`
	if got := strings.Join(c.Warnings, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestAdminOfOthersWarns(t *testing.T) {
	for admin, warned := range map[string]bool{
		"127.0.0.1:0": false, "127.9.9.9:81": false, "localhost:81": false, "\"[::1]:81\"": false,
		"0.0.0.0:81": true, ":81": true, "10.0.0.1:81": true, "\"[::]:81\"": true, "metrics.internal:81": true,
	} {
		c, err := config.Parse("f", []byte("admin: "+admin+services), known())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(c.Warnings) == 1 && strings.HasPrefix(c.Warnings[0], "admin: "); got != warned {
			t.Errorf("%s: warnings %q", admin, c.Warnings)
		}
	}
}

// TestTokensOnTheNetworkAreWarnedOf: the port has no TLS.
func TestTokensOnTheNetworkAreWarnedOf(t *testing.T) {
	for tokens, warned := range map[string]bool{"operators.txt": true, `""`: false} {
		c, err := config.Parse("f", []byte("admin: :81\noperators: {tokens: "+tokens+"}"+services), known())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(c.Warnings, "\n"), "can read the tokens"); got != warned {
			t.Errorf("tokens in %s: warnings %q", tokens, c.Warnings)
		}
	}
}

// TestRelativePathsAreTakenFromTheFile: wherever the program is started.
func TestRelativePathsAreTakenFromTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "facet.yaml")
	text := "operators: {tokens: sub/operators.txt, audit: ../audit.log}" + services
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, known())
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(file)
	want := config.Operators{Tokens: filepath.Join(folder, "sub", "operators.txt"), Audit: filepath.Join(filepath.Dir(folder), "audit.log")}
	if c.Operators.Tokens != want.Tokens || c.Operators.Audit != want.Audit {
		t.Errorf("got %+v, want %+v", c.Operators, want)
	}
}

// TestKnownClassLikeAnother: the other's adapter serves it, with its own values.
func TestKnownClassLikeAnother(t *testing.T) {
	c, err := config.Parse("f", []byte("devices: {classes: {tv: {like: phone}}}"+services), known())
	if err != nil {
		t.Fatal(err)
	}
	want := devices.Standard()[0]
	want.Like = devices.Phone
	if got := c.Devices.Profiles[0]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestParseLeavesKnownAlone holds that a file changes nothing for the next one.
func TestParseLeavesKnownAlone(t *testing.T) {
	k := known()
	k.Devices.Profiles = devices.Standard()
	data := services + "    commands: {get: {timeout: 1s}}\ndevices: {classes: {phone: {reviews: 9}}}\n"
	if _, err := config.Parse("f", []byte(data), k); err != nil {
		t.Fatal(err)
	}
	if got := k.Services["cart"]["get"].Timeout; got != 300*time.Millisecond {
		t.Errorf("timeout %v", got)
	}
	if got := k.Devices.Profiles[1]; got != devices.Standard()[1] {
		t.Errorf("profile %+v", got)
	}
}

func TestKnownHasToHold(t *testing.T) {
	bad := known()
	bad.Services["cart"]["get"] = command.Policy{}
	unresolved := known()
	unresolved.Devices.Default = "watch"
	for _, k := range []config.Known{bad, unresolved} {
		_, err := config.Parse("f", []byte(services), k)
		var list config.Errors
		if err == nil || errors.As(err, &list) {
			t.Errorf("got %v", err)
		}
	}
}

func TestSizeString(t *testing.T) {
	for want, size := range map[string]config.Size{
		"0B": 0, "1B": 1, "1400B": 1400, "1KiB": 1024, "1025B": 1025, "16MiB": 16 << 20, "3GiB": 3 << 30, "-1KiB": -1024,
	} {
		if got := size.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, file := range files(f, folder) {
			f.Add(read(f, file))
		}
	}
	f.Add(read(f, "testdata/every_field.yaml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		c, err := config.Parse("f", data, known())
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		var list config.Errors
		switch {
		case err == nil:
			sound(t, c)
		case c != nil, !errors.As(err, &list), len(list) == 0:
			t.Errorf("got %v and %v", c, err)
		}
		for _, e := range list {
			if e.Line < 1 || e.Column < 1 || strings.ContainsAny(e.Error(), "\r\n\t\x00\x1b") || !strings.Contains(e.Message, ";") {
				t.Errorf("error %#v", e)
			}
		}
	})
}

// sound checks what every accepted configuration promises.
func sound(t *testing.T, c *config.Config) {
	t.Helper()
	if _, err := devices.NewResolver(c.Devices); err != nil {
		t.Error(err)
	}
	if len(c.Services) != 2 || len(c.Pages) != 2 || c.Listen == "" || c.Admin == "" {
		t.Errorf("incomplete: %+v", c)
	}
	for name, s := range c.Services {
		if len(s.Instances) == 0 || s.MaxBody < 1 || s.MaxConnections < 1 {
			t.Errorf("service %s: %+v", name, s)
		}
		for _, p := range s.Commands {
			if err := p.Validate(); err != nil {
				t.Errorf("service %s: %v", name, err)
			}
		}
	}
	for name, p := range c.Pages {
		if p.Budget <= 0 {
			t.Errorf("page %s: %+v", name, p)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	data := read(b, "testdata/every_field.yaml")
	k := known()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Parse("f", data, k); err != nil {
			b.Fatal(err)
		}
	}
}

// TestClassWithAnAdapterOfItsOwn: what it is like gives the screen, and no more.
func TestClassWithAnAdapterOfItsOwn(t *testing.T) {
	text := `
devices: {classes: {watch: {like: phone, hero_width: 320, thumb_width: 64}}}
services:
  catalog: {instances: ["http://127.0.0.1:9001"]}
  cart: {instances: ["http://127.0.0.1:9002"]}
`
	for _, own := range []bool{false, true} {
		k := known()
		if own {
			k.Adapters["watch"] = []string{"v1"}
		}
		c, err := config.Parse("facet.yaml", []byte(text), k)
		if err != nil {
			t.Fatal(err)
		}
		watch := c.Devices.Profiles[len(c.Devices.Profiles)-1]
		want := devices.Phone
		if own {
			want = "watch"
		}
		if watch.Adapter() != want || watch.HeroWidth != 320 || watch.ImageFormat != "webp" {
			t.Errorf("own adapter %v: %+v is served by %s", own, watch, watch.Adapter())
		}
	}
}
