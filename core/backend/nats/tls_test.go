package nats_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/certtest"
	"github.com/facet-gateway/facet/core/fault"
)

// TestTLS: questions go to whom somebody vouches for, and to nobody else.
func TestTLS(t *testing.T) {
	certificate := certtest.Loopback(t)
	s, plain := serve(t, server.Options{
		TLS: true, AllowNonTLS: true, TLSTimeout: long.Seconds(),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate.Pair}, MinVersion: tls.VersionTLS12},
	})
	answers(t, peer(t, plain), "echo", echo)
	url := "tls://" + s.Addr().String()
	vouched := &tls.Config{RootCAs: certificate.Authorities, MinVersion: tls.VersionTLS12}
	if got, err := ask(t.Context(), newClient(t, nats.Options{Servers: []string{url}, TLS: vouched}), "echo"); err != nil || got.ID != "p-1" {
		t.Errorf("got %v, %v", got, err)
	}

	_, without := serve(t, server.Options{})
	for name, o := range map[string]nats.Options{
		"certificate": {Servers: []string{url}},
		"localhost":   {Servers: []string{strings.Replace(url, "127.0.0.1", "localhost", 1)}, TLS: vouched},
		"secure":      {Servers: []string{strings.Replace(without, "nats://", "tls://", 1)}, TLS: vouched},
	} {
		c := newAway(t, o)
		soon(t, name+": it is told why", func() bool { return strings.Contains(c.Status()[0].Check, name) })
		if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
