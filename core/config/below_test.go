package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/facet-gateway/facet/core/config"
)

// TestFilesAreBelowTheConfiguration: a gateway may be started from any folder.
func TestFilesAreBelowTheConfiguration(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "facet.yaml")
	const text = `
cache: {redis: "redis://127.0.0.1:6379", password_file: redis}
operators: {tokens: tokens.txt}
static: {/logo: {file: logo.svg, content_type: image/svg+xml}}
services:
  catalog: {resolver: {consul: {service: catalog, address: "https://10.0.0.1:8501", token_file: /run/consul, ca_file: ca.pem}}}
  cart: {transport: nats, instances: ["nats://127.0.0.1:4222"], broker: {user: facet, password_file: nats}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, known())
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.Cache.PasswordFile:                            "redis",
		c.Operators.Tokens:                              "tokens.txt",
		c.Static["/logo"].File:                          "logo.svg",
		c.Services["catalog"].Resolver.Consul.CAFile:    "ca.pem",
		c.Services["cart"].Broker.PasswordFile:          "nats",
		c.Services["catalog"].Resolver.Consul.TokenFile: "/run/consul",
	} {
		if !filepath.IsAbs(want) {
			want = filepath.Join(folder, want)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
