package exposure_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout/exposure"
)

// write makes a file of the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOptionsAreRefusedByField(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	nats := []string{"nats://127.0.0.1:1"}
	open := write(t, "open", strings.Repeat("s", 32))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name    string
		options exposure.Options
		field   string
	}{
		{"a window too short", exposure.Options{Log: true, Window: time.Minute - 1}, "window"},
		{"a window too long", exposure.Options{Log: true, Window: 24*time.Hour + 1}, "window"},
		{"a negative window", exposure.Options{Log: true, Window: -time.Hour}, "window"},
		{"no URL", exposure.Options{NATS: []string{"127.0.0.1:4222"}}, "nats[0]"},
		{"another protocol", exposure.Options{NATS: []string{nats[0], "https://s3cret@host"}}, "nats[1]"},
		{"no host", exposure.Options{NATS: []string{"nats://:4222"}}, "nats[0]"},
		{"a path", exposure.Options{NATS: []string{"nats://host/s3cret"}}, "nats[0]"},
		{"no UTF-8", exposure.Options{NATS: []string{"nats://s3cret:%zz@host"}}, "nats[0]"},
		{"too many servers", exposure.Options{NATS: make([]string, 17)}, "nats"},
		{"a wildcard", exposure.Options{NATS: nats, Subject: "facet.*"}, "subject"},
		{"all of it", exposure.Options{NATS: nats, Subject: "facet.>"}, "subject"},
		{"an empty word", exposure.Options{NATS: nats, Subject: "facet..exposure"}, "subject"},
		{"a blank", exposure.Options{NATS: nats, Subject: "facet exposure"}, "subject"},
		{"another command", exposure.Options{NATS: nats, Subject: "facet\r\nPUB"}, "subject"},
		{"a long subject", exposure.Options{NATS: nats, Subject: strings.Repeat("a", 257)}, "subject"},
		{"a certificate without key", exposure.Options{NATS: nats, Certificate: missing}, "key"},
		{"a key without certificate", exposure.Options{NATS: nats, Key: missing}, "key"},
		{"missing credentials", exposure.Options{NATS: nats, Credentials: missing}, "credentials"},
		{"missing authorities", exposure.Options{NATS: nats, CA: missing}, "ca"},
		{"no authorities", exposure.Options{NATS: nats, CA: write(t, "ca", "nothing")}, "ca"},
		{"a missing certificate", exposure.Options{NATS: nats, Certificate: missing, Key: missing}, "certificate"},
		{"a missing hash key", exposure.Options{Log: true, HashKey: missing}, "hash_key"},
		{"a short hash key", exposure.Options{Log: true, HashKey: write(t, "key", strings.Repeat("s", 31)+"\n")}, "hash_key"},
		{"a hash key for all to read", exposure.Options{Log: true, HashKey: open}, "hash_key"},
		{"a long hash key", exposure.Options{Log: true, HashKey: write(t, "key", strings.Repeat("s", 4097))}, "hash_key"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := exposure.New(c.options, slog.New(slog.DiscardHandler))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != c.field || r != nil {
				t.Fatalf("%v, want a fault of %s", err, c.field)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v tells a secret", err)
			}
		})
	}
}
