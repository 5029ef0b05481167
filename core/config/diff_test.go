package config_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
)

// filler gives every value below a Config something, and one of them, the odd
// one, something else. A value of a kind that it does not know is an error.
type filler struct {
	t      *testing.T
	odd    int // -1: none
	filled int
}

func (f *filler) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() == reflect.TypeFor[config.Config]() && v.Type().Field(i).Name == "source" {
				continue // where settings stand is none
			}
			if !v.Field(i).CanSet() {
				f.t.Fatalf("%s.%s cannot be set: nobody could compare it", v.Type(), v.Type().Field(i).Name)
			}
			f.fill(v.Field(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString("name")
		f.fill(item)
		v.SetMapIndex(key, item)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	default:
		f.leaf(v)
		f.filled++
	}
}

func (f *filler) leaf(v reflect.Value) {
	odd := f.filled == f.odd
	switch {
	case v.Kind() == reflect.String:
		v.SetString(map[bool]string{false: "text", true: "other"}[odd])
	case v.Kind() == reflect.Bool:
		v.SetBool(odd)
	case v.CanInt():
		v.SetInt(map[bool]int64{false: 1, true: 2}[odd])
	case v.CanUint():
		v.SetUint(map[bool]uint64{false: 1, true: 2}[odd])
	case v.CanFloat():
		v.SetFloat(map[bool]float64{false: 0.25, true: 0.5}[odd])
	default:
		f.t.Fatalf("a setting of type %s: teach core/config/settings.go and this test to compare it", v.Type())
	}
}

// filled returns a configuration with everything in it; values is how many there are.
func filled(t *testing.T, odd int) (c *config.Config, values int) {
	t.Helper()
	c = &config.Config{}
	f := filler{t: t, odd: odd}
	f.fill(reflect.ValueOf(c).Elem())
	return c, f.filled
}

// TestEverySettingIsDecided fails for a new field until somebody has said whether
// a reload may change it.
func TestEverySettingIsDecided(t *testing.T) {
	t.Parallel()
	c, _ := filled(t, -1)
	covered, idle := config.Rows(c)
	for setting, row := range covered {
		if row == "" {
			t.Errorf("%s: may a reload change it? add a row to reloadable in core/config/diff.go", setting)
		}
	}
	if len(idle) > 0 {
		t.Errorf("rows of settings that there are not: %v", idle)
	}
}

// TestNoChangeIsMissed changes one value after the other, of all that there are.
func TestNoChangeIsMissed(t *testing.T) {
	t.Parallel()
	before, values := filled(t, -1)
	if values < 40 {
		t.Fatalf("only %d values: the test does not test", values)
	}
	for odd := range values {
		after, _ := filled(t, odd)
		changes, restart := config.Diff(before, after)
		said := !cmp.Equal(withoutDerived(*before), withoutDerived(*after), ofSettings())
		if noticed := len(changes)+len(restart) > 0; noticed != said {
			t.Errorf("noticed: %v\n%s", noticed, cmp.Diff(before, after, ofSettings()))
		}
	}
	if changes, restart := config.Diff(before, before); len(changes)+len(restart) > 0 {
		t.Errorf("differences from itself: %v %v", changes, restart)
	}
}

// withoutDerived leaves out what no file says.
func withoutDerived(c config.Config) config.Config {
	c.Warnings = nil
	services := make(map[string]config.Service)
	for name, s := range c.Services {
		commands := make(map[string]command.Policy)
		for name, p := range s.Commands {
			p.Traits = command.Traits{}
			commands[name] = p
		}
		s.Commands = commands
		services[name] = s
	}
	c.Services = services
	return c
}

const base = `
auth: {mode: none}
services:
  catalog: {instances: ["http://127.0.0.1:9001"]}
  cart: {instances: ["http://127.0.0.1:9002"]}
`

func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("facet.yaml", []byte(text), known())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const zmqCart = `  cart: {transport: zmq, instances: ["tcp://127.0.0.1:9002"], live: `

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, old, updated string // each after base, or instead of a line of it
		changes, restart   []string
	}{
		{"nothing", "", "", nil, nil},
		{"a default spelt out", "", "pages: {home: {budget: 800ms}}\nlog: {level: info}", nil, nil},
		{
			"live", "log: {level: debug}", `log: {level: error, requests: false}
cors: {origins: ["https://tv.example", "http://localhost:3000"], max_age: 90m}
pages: {home: {budget: 1m}}
adapters: {phone: v2}`,
			[]string{
				"cors.origins: [] -> [https://tv.example, http://localhost:3000]", "cors.max_age: 10m -> 1h30m",
				"log.level: debug -> error", "log.requests: true -> false", "pages.home.budget: 800ms -> 1m", "adapters.phone: v1 -> v2",
			}, nil,
		},
		{
			"policies", "", `  catalog:
    instances: [http://127.0.0.1:9001]
    commands:
      product: {timeout: 250ms, max_concurrent: 7, circuit: {error_percent: 30, sleep: 2s}, cache: {fresh: 30s, bytes: 8MiB}}`,
			[]string{
				"services.catalog.commands.product.timeout: 300ms -> 250ms", "services.catalog.commands.product.max_concurrent: 100 -> 7",
				"services.catalog.commands.product.circuit.error_percent: 50 -> 30", "services.catalog.commands.product.circuit.sleep: 5s -> 2s",
				"services.catalog.commands.product.cache.fresh: 0s -> 30s", "services.catalog.commands.product.cache.bytes: 0B -> 8MiB",
			}, nil,
		},
		{
			"devices", "devices: {classes: {watch: {like: phone}}}", "devices: {header: X-Screen, classes: {tv: {columns: 4}, car: {like: tv}}}",
			[]string{
				`devices.header: "" -> X-Screen`, "devices.classes.tv.columns: 6 -> 4",
				"devices.classes.car.like: (none) -> tv", "devices.classes.car.hero_width: (none) -> 1920",
				"devices.classes.watch.like: phone -> (none)", "devices.classes.watch.columns: 1 -> (none)",
			}, nil,
		},
		{
			"publishers", zmqCart + "{port: 9106}}", zmqCart + `{instances: ["tcp://127.0.0.1:9107"]}}`, nil,
			[]string{"services.cart.live.instances: [] -> [tcp://127.0.0.1:9107]", "services.cart.live.port: 9106 -> 0"},
		},
		{
			"restart", "", `  catalog: {instances: ["http://127.0.0.1:9001", "http://127.0.0.1:9011"], max_body: 2MiB, max_connections: 9}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
log: {format: text}
auth: {mode: header}
server: {gzip_min: 2KiB, drain_delay: 0s}
pages: {home: {budget: 1m}}`,
			[]string{"pages.home.budget: 800ms -> 1m"},
			[]string{
				"listen: 127.0.0.1:8080 -> 127.0.0.1:0", "admin: 127.0.0.1:8081 -> 127.0.0.1:0", "auth.mode: none -> header",
				"log.format: json -> text", "server.drain_delay: 1s -> 0s", "server.gzip_min: 1400B -> 2KiB",
				"services.catalog.instances: [http://127.0.0.1:9001] -> [http://127.0.0.1:9001, http://127.0.0.1:9011]",
				"services.catalog.max_body: 1MiB -> 2MiB", "services.catalog.max_connections: 512 -> 9",
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes, restart := config.Diff(parse(t, over(tc.old)), parse(t, over(tc.updated)))
			if tc.name == "devices" { // of a class that comes or goes, every setting is told
				changes = slices.DeleteFunc(changes, func(c config.Change) bool { return !slices.Contains(tc.changes, c.String()) })
			}
			if diff := cmp.Diff(tc.changes, texts(changes)); diff != "" {
				t.Errorf("changes: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tc.restart, texts(restart)); diff != "" {
				t.Errorf("restart: -want +got\n%s", diff)
			}
		})
	}
}

// over returns the base with more lines, the indented ones among the services.
func over(lines string) string {
	text := base
	if service, _, ok := strings.Cut(lines, ":"); ok && strings.HasPrefix(service, "  ") {
		before, rest, _ := strings.Cut(text, service+":")
		_, after, _ := strings.Cut(rest, "\n")
		text = before + after
	}
	if strings.Contains(lines, "auth:") {
		text = strings.Replace(text, "auth: {mode: none}\n", "", 1)
	}
	return text + lines + "\n"
}

func texts(changes []config.Change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, c.String())
	}
	return list
}

// TestSettingsAreWhatTheFileSays reads the file of every field back.
func TestSettingsAreWhatTheFileSays(t *testing.T) {
	t.Parallel()
	c, err := config.Load("testdata/every_field.yaml", known())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.Settings() {
		if _, twice := got[s.Path]; twice {
			t.Errorf("%s is told twice", s.Path)
		}
		got[s.Path] = s.Value
	}
	for path, want := range map[string]string{
		"listen":                             "127.0.0.1:9080",
		"devices.header":                     "X-Screen",
		"devices.classes.watch.like":         "phone",
		"devices.classes.watch.image_format": "jpeg",
		"cors.origins":                       "[https://tv.example, http://localhost:3000]",
		"server.max_header_bytes":            "32KiB",
		"log.level":                          "debug",
		"services.catalog.instances":         "[http://127.0.0.1:9001, http://catalog-2.internal:9001/v1]",
		"services.catalog.commands.product.cache.bytes":           "8MiB",
		"services.catalog.commands.product.circuit.error_percent": "25",
		"adapters.phone": "v2",
	} {
		if got[path] != want {
			t.Errorf("%s: %q, want %q", path, got[path], want)
		}
	}
	for path, value := range got {
		if value == "" || strings.ContainsAny(path+value, "\n") {
			t.Errorf("%s: %q", path, value)
		}
	}
}

// TestChangesAreOneLineEach: no value breaks a line of the log or looks like another.
func TestChangesAreOneLineEach(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, origins := range [][]string{{}, {""}, {"a, b"}, {"a", "b"}, {"[]"}, {"a\nb"}, {`"a"`}, {`a"`, "b"}, {"\x7f"}, {"é"}} {
		c := &config.Config{CORS: config.CORS{Origins: origins}}
		changes, _ := config.Diff(&config.Config{CORS: config.CORS{Origins: []string{"none"}}}, c)
		text := fmt.Sprint(texts(changes))
		if strings.ContainsAny(text, "\n\x7f") || seen[text] != nil {
			t.Errorf("%q says %s, as %q does", origins, text, seen[text])
		}
		seen[text] = origins
	}
}

func BenchmarkDiff(b *testing.B) {
	before, after := parse(b, base), parse(b, base+"pages: {home: {budget: 1m}}\n")
	b.ReportAllocs()
	for b.Loop() {
		config.Diff(before, after)
	}
}
