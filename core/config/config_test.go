package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/cache/store"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/exposure"
	"github.com/facet-gateway/facet/devices"
)

var update = flag.Bool("update", false, "write what the bad files say now into their .txt")

// ofSettings compares configurations by their settings, wherever those stand.
func ofSettings() cmp.Option { return cmpopts.IgnoreUnexported(config.Config{}) }

func known() config.Known {
	remembered := command.DefaultPolicy()
	remembered.Cache.Stale = 10 * time.Minute
	remembered.Traits = command.Traits{Safe: true, Batched: true}
	return config.Known{
		Services: map[string]map[string]command.Policy{
			"catalog": {"product": remembered, "list": remembered},
			"cart":    {"get": command.DefaultPolicy()},
		},
		Transports: map[string][]string{"catalog": {"http"}, "cart": {"http", "grpc", "nats", "zmq"}},
		Pages:      []string{"productdetails", "home"},
		Feeds:      []string{"live/stock"},
		Adapters:   map[devices.Class][]string{"tv": {"v1"}, "phone": {"v1", "v2"}},
	}
}

func usualBalance() config.Balance {
	return config.Balance{
		Policy: "least_loaded", SlowStart: 10 * time.Second, PanicPercent: 50,
		Outlier: balance.Outlier{Consecutive: 5, SuccessRate: 30, Interval: 10 * time.Second, Ejection: 10 * time.Second, MaxPercent: 50},
		Check:   config.Check{Interval: 5 * time.Second, Timeout: time.Second, Healthy: 2, Unhealthy: 3},
	}
}

func TestDefaults(t *testing.T) {
	got, err := config.Load("testdata/good/minimal.yaml", known())
	if err != nil {
		t.Fatal(err)
	}
	remembered := known().Services["catalog"]["product"]
	want := &config.Config{
		Listen:  "127.0.0.1:8080",
		Admin:   "127.0.0.1:8081",
		Devices: devices.Options{Profiles: devices.Standard()},
		Auth:    config.Auth{Mode: "none"},
		CORS:    config.CORS{MaxAge: 10 * time.Minute},
		Log:     config.Log{Level: slog.LevelInfo, Format: "json", Requests: true},
		Server: config.Server{
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      15 * time.Second,
			IdleTimeout:       60 * time.Second,
			MaxHeaderBytes:    16384,
			MaxHeaderLines:    100,
			DrainDelay:        time.Second,
			ShutdownTimeout:   10 * time.Second,
			GzipMin:           1400,
		},
		Admission: edge.DefaultOptions(),
		Cache: store.Options{
			Prefix: "facet", Timeout: 10 * time.Millisecond, MaxLookups: 64, MaxEntryBytes: 262144, MaxQueue: 1024,
		},
		Services: map[string]config.Service{
			"catalog": {
				Transport: "http", Instances: []string{"http://127.0.0.1:9001"}, MaxBody: 1048576, MaxConnections: 512,
				RetryBudget: config.RetryBudget{Percent: 20, Floor: 1}, Balance: usualBalance(),
				Commands: map[string]command.Policy{"product": remembered, "list": remembered},
			},
			"cart": {
				Transport: "http", Instances: []string{"http://127.0.0.1:9002"}, MaxBody: 1048576, MaxConnections: 512,
				RetryBudget: config.RetryBudget{Percent: 20, Floor: 1}, Balance: usualBalance(),
				Commands: map[string]command.Policy{"get": command.DefaultPolicy()},
			},
		},
		Pages:    map[string]config.Page{"productdetails": {800 * time.Millisecond}, "home": {800 * time.Millisecond}},
		Adapters: map[devices.Class]string{"tv": "v1", "phone": "v1"},
		Live:     config.Live{MaxClients: 20_000, Heartbeat: 15 * time.Second},
		Rollout: config.Rollout{
			File: "testdata/good/rollouts.json", Etcd: etcd.Options{Prefix: "/facet/rollout"},
			UnitHeader: "X-Device-Id", Headers: rollout.DefaultHeaders(),
			Quarantine: config.Quarantine{Panics: 3, Overruns: 3, Window: time.Minute},
			Exposure:   exposure.Options{Subject: "facet.exposure", Window: time.Hour},
		},
	}
	if diff := cmp.Diff(want, got, ofSettings()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestPublished: all that publish are listed, or are at a port of each instance.
func TestPublished(t *testing.T) {
	t.Parallel()
	for live, want := range map[string]config.Published{
		`{instances: ["tcp://10.0.0.1:9106", "tcp://shop.internal:9106/"]}`: {
			Instances: []string{"tcp://10.0.0.1:9106", "tcp://shop.internal:9106"},
		},
		`{port: 9106}`: {Port: 9106},
	} {
		c := parse(t, `
services:
  catalog: {instances: ["http://127.0.0.1:9001"]}
  cart: {transport: zmq, resolver: {dns: {name: cart.internal, type: a, port: 9105}}, live: `+live+"}\n")
		if diff := cmp.Diff(want, c.Services["cart"].Live); diff != "" {
			t.Errorf("%s: -want +got\n%s", live, diff)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: warnings %q", live, c.Warnings)
		}
	}
}

func TestEveryField(t *testing.T) {
	got, err := config.Load("testdata/every_field.yaml", known())
	if err != nil {
		t.Fatal(err)
	}
	profiles := devices.Standard()
	profiles[0].HeroWidth = 3840
	profiles = append(profiles, devices.Profile{
		Class: "watch", Like: "phone", HeroWidth: 320, ThumbWidth: 64, ImageFormat: "jpeg",
		Recommendations: 2, Images: 1, Rows: 2, RowLength: 3, Columns: 1,
	})
	want := &config.Config{
		Listen: "127.0.0.1:9080",
		Admin:  "127.0.0.1:9081",
		Rollout: config.Rollout{
			File: "testdata/state/rollouts.json",
			Etcd: etcd.Options{
				Endpoints: []string{"https://10.0.0.1:2379", "https://10.0.0.2:2379"}, Prefix: "/shop/rollout",
				User: "facet", PasswordFile: "/run/secrets/etcd",
				CAFile: "testdata/ca.pem", CertFile: "/tls/cert.pem", KeyFile: "/tls/key.pem",
			},
			ForceKey: "/run/secrets/force", UnitHeader: "X-Client-Id",
			Headers:    rollout.Headers{AppVersion: "X-Version", Country: "CloudFront-Viewer-Country"},
			Quarantine: config.Quarantine{Overruns: 5, Window: 10 * time.Minute},
			Exposure: exposure.Options{
				Log: true, NATS: []string{"nats://127.0.0.1:4222"}, Subject: "shop.exposure", Window: 24 * time.Hour,
				Credentials: "testdata/nats.creds", CA: "testdata/nats-ca.pem", Certificate: "/tls/nats.pem", Key: "/tls/nats-key.pem",
				HashKey: "/run/secrets/hash",
			},
			Remotes: map[string]config.Remote{
				"phone/v9": {
					Instances: []string{"http://phone-1.internal:8080", "http://phone-2.internal:8080/shop"},
					MaxBody:   256 << 10, MaxConnections: 32, Timeout: 350 * time.Millisecond, MaxConcurrent: 40,
					Circuit: command.Circuit{Volume: 10, ErrorPercent: 25, Consecutive: 5, Sleep: 2 * time.Second},
				},
				"tv/v7": {
					Instances: []string{"http://tv.internal:8080"},
					MaxBody:   1 << 20, MaxConnections: 512, Timeout: 500 * time.Millisecond, MaxConcurrent: 100,
					Circuit: command.DefaultPolicy().Circuit,
				},
			},
		},
		Operators: config.Operators{
			Tokens: "testdata/operators.txt", Audit: "/var/log/facet/audit.log", Hosts: []string{"gateway.internal", "localdev"},
		},
		Devices: devices.Options{Header: "X-Screen", Default: "tv", Desktop: "watch", Profiles: profiles},
		Auth:    config.Auth{Mode: "header"},
		CORS:    config.CORS{Origins: []string{"https://tv.example", "http://localhost:3000"}, MaxAge: time.Hour},
		Log:     config.Log{Level: slog.LevelDebug, Format: "text"},
		Server: config.Server{
			ReadHeaderTimeout: 2 * time.Second,
			ReadTimeout:       4 * time.Second,
			WriteTimeout:      8 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    32768,
			MaxHeaderLines:    50,
			DrainDelay:        3 * time.Second,
			ShutdownTimeout:   20 * time.Second,
			GzipMin:           2048,
		},
		Live:      config.Live{MaxClients: 5000, MaxPerUser: 20, Heartbeat: 5 * time.Second},
		Admission: edge.Options{Min: 4, Max: 500, Target: 40, Prefetch: edge.Prefetch{Percent: 30, Urgency: 8, Header: "X-Prefetch: 1"}},
		Cache: store.Options{
			Redis: "rediss://facet@cache.internal:6380/2", PasswordFile: "/run/secrets/redis",
			Prefix: "shop", Timeout: 5 * time.Millisecond, MaxLookups: 32, MaxEntryBytes: 1048576, MaxQueue: 2000,
		},
		Services: map[string]config.Service{
			"catalog": {
				Transport: "http",
				Instances: []string{"http://127.0.0.1:9001", "http://catalog-2.internal:9001/v1"},
				MaxBody:   2 << 20, MaxConnections: 64, RetryBudget: config.RetryBudget{Percent: 10, Floor: 3},
				Balance: config.Balance{
					Policy: "round_robin", SlowStart: 20 * time.Second, PanicPercent: 30,
					Outlier: balance.Outlier{Consecutive: 3, SuccessRate: 20, Interval: 5 * time.Second, Ejection: 2 * time.Second, MaxPercent: 40},
					Check:   config.Check{Path: "/healthz", Interval: 2 * time.Second, Timeout: 500 * time.Millisecond, Healthy: 1, Unhealthy: 2},
				},
				Commands: map[string]command.Policy{
					"product": {
						Timeout:        250 * time.Millisecond,
						AttemptTimeout: 120 * time.Millisecond,
						MaxConcurrent:  200,
						Mode:           command.Observe,
						Circuit:        command.Circuit{Volume: 10, ErrorPercent: 25, Consecutive: 5, Sleep: 2 * time.Second},
						Cache: command.Cache{
							Fresh: 30 * time.Second, Revalidate: time.Minute, Stale: 20 * time.Minute, Negative: 3 * time.Second,
							Jitter: 25, Entries: 5000, Bytes: 8 << 20,
						},
						Retry:       command.Retry{Attempts: 3, Backoff: 20 * time.Millisecond},
						Hedge:       true,
						Coalesce:    true,
						BatchWindow: 5 * time.Millisecond,
						Traits:      command.Traits{Safe: true, Batched: true},
					},
					"list": known().Services["catalog"]["list"],
				},
			},
			"cart": {
				Transport: "zmq", Instances: []string{"tcp://127.0.0.1:9002"}, Live: config.Published{Port: 9102},
				MaxBody: 1 << 20, MaxConnections: 512, RetryBudget: config.RetryBudget{Percent: 20, Floor: 1}, Balance: usualBalance(),
				Commands: map[string]command.Policy{"get": command.DefaultPolicy()},
			},
		},
		Zone:  "eu-west-1a",
		Pages: map[string]config.Page{"productdetails": {600 * time.Millisecond}, "home": {800 * time.Millisecond}},
		Routes: map[string]config.Route{
			"cart-api": {
				Prefix: "/api/carts/", Service: "catalog", Rewrite: "/carts/", Methods: []string{"GET", "POST"},
				RequestHeaders: []string{"Accept", "Content-Type"}, ResponseHeaders: []string{"Content-Type", "Set-Cookie"},
				MaxBody: 64 << 10, MaxAnswer: 2 << 20, Timeout: 3 * time.Second, MaxConcurrent: 20, Mode: command.Observe,
				Circuit: command.Circuit{Volume: 10, ErrorPercent: 25, Consecutive: 5, Sleep: 2 * time.Second},
			},
			"orders": {
				Prefix: "/api/", Service: "catalog", Rewrite: "/api/", Methods: []string{"GET", "HEAD"},
				RequestHeaders: passthrough.DefaultRequestHeaders(), ResponseHeaders: passthrough.DefaultResponseHeaders(),
				MaxBody: 1 << 20, MaxAnswer: 16 << 20, Timeout: 2 * time.Second, MaxConcurrent: 100,
				Circuit: command.DefaultPolicy().Circuit,
			},
		},
		Static: map[string]config.Static{
			"/robots.txt": {Body: "User-agent: *\n", ContentType: "text/plain", CacheControl: "public, max-age=3600"},
			"/logo.png":   {File: "testdata/img/logo.png", CacheControl: "public, max-age=300"},
		},
		Adapters: map[devices.Class]string{"tv": "v1", "phone": "v2"},
	}
	if diff := cmp.Diff(want, got, ofSettings()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestGoodFiles(t *testing.T) {
	for _, file := range files(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := config.Load(file, known())
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Warnings) > 0 {
				t.Errorf("warnings %q", c.Warnings)
			}
		})
	}
}

// TestBadFiles holds each file of testdata/bad against the exact text that an
// operator reads.
func TestBadFiles(t *testing.T) {
	for _, file := range files(t, "bad") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := config.Parse("facet.yaml", read(t, file), known())
			if err == nil {
				t.Fatalf("was accepted: %+v", c)
			}
			var list config.Errors
			if !errors.As(err, &list) || c != nil {
				t.Fatalf("got %T and %v", err, c)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, file)), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // a file of testdata
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func files(t testing.TB, folder string) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/" + folder + "/*.yaml")
	if err != nil || len(list) == 0 {
		t.Fatalf("no files: %v", err)
	}
	return list
}

func TestLoadNamesTheFile(t *testing.T) {
	_, err := config.Load("testdata/bad/timeout_unit.yaml", known())
	if err == nil || !strings.HasPrefix(err.Error(), "testdata/bad/timeout_unit.yaml:6:26: services.catalog") {
		t.Errorf("got %v", err)
	}
	_, err = config.Load("testdata/none.yaml", known())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err = config.Load("testdata", known()); err == nil {
		t.Error("a folder was accepted")
	}
}
