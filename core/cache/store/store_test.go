package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/cachetest"
	"github.com/facet-gateway/facet/core/cache/store"
)

func connected(s *cache.Shared) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.Stats().Connected {
			return true
		}
	}
	return false
}

func TestOpen(t *testing.T) {
	if s, err := store.Open(store.Default(), slog.New(slog.DiscardHandler)); s != nil || err != nil {
		t.Errorf("by default: %v, %v", s, err)
	}
	server := cachetest.Redis(t, "--requirepass", "s3cret")
	o := store.Default()
	o.Redis = "redis://" + server.Addr
	o.PasswordFile = write(t, "s3cret\n")
	s, err := store.Open(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Connect()
	if !connected(s) {
		t.Error("Redis: not connected")
	}
	o = store.Default()
	o.Memcached = []string{"127.0.0.1:1"}
	m, err := store.Open(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

func TestOpenRefuses(t *testing.T) {
	both := store.Default()
	both.Redis, both.Memcached = "redis://h:1", []string{"h:2"}
	slow := store.Default()
	slow.Redis, slow.Timeout = "redis://h:1", time.Minute
	for name, o := range map[string]store.Options{
		"both": both, "a slow one": slow, "no address": {Redis: "http://h:1"},
		"no file": withPassword("nowhere"), "a folder": withPassword(t.TempDir()), "an empty file": withPassword(write(t, "\n")),
		"two lines": withPassword(write(t, "s3cret\ns3cret\n")), "a long one": withPassword(write(t, strings.Repeat("s3cret", 1000))),
	} {
		if s, err := store.Open(o, slog.New(slog.DiscardHandler)); err == nil || s != nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func withPassword(file string) store.Options {
	o := store.Default()
	o.Redis, o.PasswordFile = "redis://h:1", file
	return o
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
