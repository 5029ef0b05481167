package facet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/facet-gateway/facet"

// roof is the floor of what nothing imports: programs, and what measures them.
const roof = 11

// floors is the map of the house: a package imports only packages of floors below
// its own. A row may be there before its package is; a package without a row fails.
var floors = map[string]int{
	"devices":                    0,
	"core/fault":                 0,
	"core/leaktest":              0,
	"core/certtest":              0,
	"core/secret":                0,
	"testdata/shop":              0,
	"core/operator":              1,
	"core/report":                1,
	"core/discovery":             1,
	"core/stream":                2,
	"core/balance":               2,
	"core/cache":                 2,
	"core/cache/cachetest":       2,
	"core/rollout/etcd/etcdtest": 1,
	"core/cache/redis":           3,
	"core/cache/memcached":       3,
	"core/cache/store":           4,
	"core/backend/payload":       1,
	"core/backend/kept":          1,
	"core/backend/message":       2,
	"core/backend/http":          3,
	"core/backend/grpc":          3,
	"core/backend/thrift":        3,
	"core/backend/amqp":          3,
	"core/backend/amqp/amqptest": 1,
	"core/backend/nats":          3,
	"core/backend/zmq":           3,
	"core/backend/zmq/zmtp":      2,
	"core/command":               3,
	"core/adapter":               4,
	"core/strict":                1,
	"core/rollout":               3,
	"core/rollout/file":          4,
	"core/rollout/etcd":          4,
	"core/rollout/storetest":     4,
	"core/rollout/guard":         4,
	"core/rollout/exposure":      4,
	"core/rollout/fleet":         5,
	"core/edge":                  4,
	"core/telemetry":             4,
	"core/shadow":                5,
	"core/passthrough":           4,
	"core/remote":                5,
	"core/config":                5,
	"core/openapi":               5,
	"core/openapi/validate":      5,
	"core/server":                6,
	"core/admin":                 6,
	"core/playground":            7, // it asks the server, like a program does
	"adapters/wire":              7,
	"adapters/wire/cart":         7,
	"adapters/wire/orders":       7,
	"adapters/wire/wiretest":     8,
	"adapters/services":          8,
	"adapters/simulator":         8,
	"adapters/adaptertest":       9,
	"adapters/scaffold":          9,
	"adapters":                   10,
	"testdata/shop/generate":     roof,
	"cmd/facet":                  roof,
	"bench/openloop":             roof - 1, // it knows nothing but HTTP
	"bench/process":              roof - 2, // it knows programs by what they print
	"bench/wrk":                  roof - 1, // it knows nothing but HTTP
	"bench":                      roof,
	"bench/faults":               roof,
	"bench/twin":                 roof,
	".":                          roof,
}

// families is where device teams write: a folder for a class, and in it one for
// each version but the first. They have the floor of pages without a row.
var families = regexp.MustCompile(`^adapters/[a-z][a-z0-9]*(/v[0-9]{1,4})?$`)

const pageFloor = 9

func floorOf(pkg string) (floor int, known bool) {
	floor, known = floors[pkg]
	if !known && families.MatchString(pkg) {
		return pageFloor, true
	}
	return floor, known
}

// strangers must not know each other even in tests: the simulator is the other
// side that the service layer is tested against, so it cannot share its shapes.
var strangers = map[string]string{
	"adapters/simulator": "adapters/services",
}

// modules says which packages may import which library. A library without a row
// fails. Tests may import what their package may, and testModules.
var modules = map[string][]string{
	"github.com/labstack/echo/v4":             {"core/server", "core/admin", "bench/twin"},
	"github.com/reactivex/rxgo/v2":            {"core/stream"},
	"github.com/hashicorp/golang-lru/v2":      {"core/cache"},
	"github.com/afex/hystrix-go":              {"core/command"},
	"github.com/HdrHistogram/hdrhistogram-go": {"core/command"},
	"github.com/prometheus/client_golang":     {"core/telemetry"},
	"github.com/valyala/fasthttp":             {"core/backend/http"},
	"github.com/bytedance/sonic":              {"core/backend/payload", "core/adapter", "core/cache"},
	"github.com/goccy/go-yaml":                {"core/config"},
	"github.com/cespare/xxhash/v2":            {"core/server", "core/cache", "core/cache/memcached", "core/rollout", "core/shadow"},
	"github.com/redis/rueidis":                {"core/cache/redis"},
	"github.com/bradfitz/gomemcache":          {"core/cache/memcached"},
	"github.com/klauspost/compress":           {"core/server"},
	"github.com/nats-io/nats.go":              {"core/rollout/exposure", "core/backend/nats", "adapters/simulator", "adapters/wire/wiretest"},
	"github.com/rabbitmq/amqp091-go":          {"core/backend/amqp", "adapters/simulator", "adapters/wire/wiretest"},
	"github.com/nats-io/nats-server/v2":       {"adapters/simulator"},
	"github.com/go-zeromq/zmq4":               {"core/backend/zmq/zmtp"},
	"github.com/coder/websocket":              {"core/server"},
	"github.com/spf13/cobra":                  {"cmd/facet"},
	"github.com/golang-jwt/jwt/v5":            {"core/rollout"},
	"go.etcd.io/etcd/client/v3":               {"core/rollout/etcd", "core/discovery"},
	"go.etcd.io/etcd/api/v3":                  {"core/rollout/etcd", "core/discovery"}, // its errors
	"github.com/miekg/dns":                    {"core/discovery", "bench/faults"},
	"google.golang.org/grpc": {
		"core/backend/grpc", "adapters/wire/cart", "adapters/wire/wiretest", "adapters/simulator",
		"core/rollout/etcd", // how etcd's client connects
	},
	"google.golang.org/protobuf": {"core/backend/grpc", "adapters/wire/cart", "adapters/wire/wiretest", "adapters/simulator"},
	"github.com/apache/thrift":   {"core/backend/thrift", "adapters/wire/orders", "adapters/wire/wiretest", "adapters/simulator"},
	"go.uber.org/zap":            {"core/rollout/etcd", "core/discovery"}, // silences etcd's client
	"golang.org/x/sync":          {"bench", "bench/twin"},

	// Only tests link with it.
	"github.com/santhosh-tekuri/jsonschema/v6": {"core/openapi/validate"},
}

var testModules = []string{
	"go.uber.org/goleak", "github.com/google/go-cmp",
	"github.com/chromedp/chromedp", "github.com/chromedp/cdproto", // a real browser
	"github.com/nats-io/nats-server/v2", // a real broker
}

// testPackages are libraries for tests: only tests, each other, and what breaks things on purpose,
// import them, so that no program holds them that anybody runs otherwise. They use testModules as tests do.
var testPackages = []string{"core/leaktest", "core/certtest", "adapters/adaptertest", "core/cache/cachetest", "core/rollout/storetest",
	"core/rollout/etcd/etcdtest", "core/backend/amqp/amqptest", "adapters/wire/wiretest"}

func TestPackagesImportOnlyLowerFloors(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			if fault := floorFault(f, imported); fault != "" {
				t.Errorf("%s: %s", f.name, fault)
			}
		}
	}
}

func TestEveryPackageHasAFloor(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if _, known := floorOf(f.pkg); !known {
			t.Errorf("%s: package %s has no row in the map of floors", f.name, f.pkg)
		}
	}
}

// TestMakefileNamesPackagesOfTestdata: no pattern of the go command finds them.
func TestMakefileNamesPackagesOfTestdata(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "PACKAGES := ")
	list, _, _ = strings.Cut(list, "\n")
	for _, f := range sources(t) {
		if strings.HasPrefix(f.pkg, "testdata/") && !slices.Contains(strings.Fields(list), "./"+f.pkg) {
			t.Errorf("%s: the Makefile's PACKAGES do not name ./%s", f.name, f.pkg)
		}
	}
}

func TestLibrariesStayInTheirPackages(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			if fault := moduleFault(f, imported); fault != "" {
				t.Errorf("%s: %s", f.name, fault)
			}
		}
	}
}

// TestMapNoticesFaults proves that the rules above can fail.
func TestMapNoticesFaults(t *testing.T) {
	t.Parallel()
	code := func(pkg string) source { return source{name: pkg + "/x.go", pkg: pkg} }
	test := func(pkg string) source { return source{name: pkg + "/x_test.go", pkg: pkg, test: true} }
	own := func(pkg string) string { return module + "/" + pkg }
	cases := []struct {
		file     source
		imported string
		faulty   bool
	}{
		{code("core/report"), own("core/fault"), false},
		{code("core/fault"), own("core/report"), true},
		{code("core/command"), own("core/backend/http"), true},
		{test("core/command"), own("core/backend/http"), false},
		{test("core/command"), own("core/server"), true},
		{test("core/command"), own("core/command"), false},
		{code("core/server"), own("core/nowhere"), true},
		{code("adapters/simulator"), own("adapters/services"), true},
		{code("adapters/watch/v2"), own("adapters/services"), false},
		{code("adapters/services"), own("adapters/watch"), true},
		{code("adapters/phone/v2"), own("adapters/phone"), true},
		{test("adapters/services"), own("adapters/simulator"), false},
		{code("core/server"), "github.com/labstack/echo/v4/middleware", false},
		{code("core/command"), "github.com/labstack/echo/v4", true},
		{code("core/server"), "github.com/labstack/echo/v45", true},
		{code("core/server"), "github.com/google/go-cmp/cmp", true},
		{test("core/server"), "github.com/google/go-cmp/cmp", false},
		{code("core/server"), "example.org/unknown", true},
		{code("adapters/adaptertest"), "github.com/google/go-cmp/cmp", false},
		{code("adapters/adaptertest"), "github.com/labstack/echo/v4", true},
		{code("cmd/facet"), own("adapters/adaptertest"), true},
		{test("adapters/phone"), own("adapters/adaptertest"), false},
		{code("adapters/adaptertest"), own("core/leaktest"), false},
		{code("core/cache"), own("core/leaktest"), true},
		{test("core/adapter"), own("adapters/adaptertest"), true},
		{code("core/server"), "net/http", false},
		{code("core/server"), "C", false},
	}
	for _, c := range cases {
		fault := floorFault(c.file, c.imported) + moduleFault(c.file, c.imported)
		if (fault != "") != c.faulty {
			t.Errorf("%s importing %s: %q, want a fault: %v", c.file.name, c.imported, fault, c.faulty)
		}
	}
}

// floorFault says what is wrong with an import of this module's own package, if
// anything is. Tests may also use their own floor: a service is tested against
// the simulator beside it.
func floorFault(f source, imported string) string {
	target, own := ownPackage(imported)
	if !own {
		return ""
	}
	floor, mapped := floorOf(f.pkg)
	if !mapped {
		return "" // TestEveryPackageHasAFloor says so
	}
	height, known := floorOf(target)
	limit := floor - 1
	if f.test {
		limit++
	}
	switch {
	case !known:
		return "imports " + target + ", which has no row in the map of floors"
	case height > limit:
		return "floor " + strconv.Itoa(floor) + " imports " + target + " of floor " + strconv.Itoa(height)
	case strangers[f.pkg] == target:
		return "must not import " + target
	case slices.Contains(testPackages, target) && !f.test && f.pkg != "bench/faults" && !slices.Contains(testPackages, f.pkg):
		return "imports " + target + ", which is for tests"
	}
	return ""
}

func moduleFault(f source, imported string) string {
	if _, own := ownPackage(imported); own || standard(imported) {
		return ""
	}
	for _, library := range testModules {
		if within(imported, library) && (f.test || slices.Contains(testPackages, f.pkg)) {
			return ""
		}
	}
	for library, users := range modules {
		if within(imported, library) {
			if slices.Contains(users, f.pkg) {
				return ""
			}
			return "only " + strings.Join(users, ", ") + " may import " + library
		}
	}
	return "no row of the map of modules allows " + imported
}

func ownPackage(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard holds for the standard library: its paths have no dot in their first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func within(imported, library string) bool {
	return imported == library || strings.HasPrefix(imported, library+"/")
}

// source is one Go file of the tree.
type source struct {
	name    string // relative, with slashes
	pkg     string // its folder
	test    bool
	imports []string
	file    *ast.File
}

// sources parses every Go file of the module, under testdata too, whatever its
// build tags say.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || name == "bin" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go"):
			all = append(all, parse(t, filepath.ToSlash(name), nil))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go file found")
	}
	return all
}

// parse reads a file of the tree, or text if it is not nil.
func parse(t *testing.T, name string, text any) source {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s := source{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), file: file}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		s.imports = append(s.imports, imported)
	}
	return s
}
