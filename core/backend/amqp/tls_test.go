package amqp_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/certtest"
	"github.com/facet-gateway/facet/core/fault"
)

// TestTLS: questions go to whom somebody vouches for, and to nobody else.
func TestTLS(t *testing.T) {
	certificate := certtest.Loopback(t)
	address := "127.0.0.1:" + amqptest.FreePorts(t, 1)[0]
	server := amqptest.Start(t, "listeners.ssl.1 = "+address, "ssl_options.certfile = "+certificate.Cert,
		"ssl_options.keyfile = "+certificate.Key, "ssl_options.cacertfile = "+certificate.Cert, "ssl_options.verify = verify_none")
	newPeer(t, server.URL).answers("echo", echo)
	url := "amqps://guest:guest@" + address
	vouched := &tls.Config{RootCAs: certificate.Authorities, MinVersion: tls.VersionTLS12}
	if got, err := ask(t.Context(), newClient(t, amqp.Options{Servers: []string{url}, TLS: vouched}), "echo"); err != nil || got.ID != "p-1" {
		t.Errorf("got %v, %v", got, err)
	}
	for name, o := range map[string]amqp.Options{
		"certificate":          {Servers: []string{url}},
		"localhost":            {Servers: []string{strings.Replace(url, "127.0.0.1", "localhost", 1)}, TLS: vouched},
		"shake hands over TLS": {Servers: []string{strings.Replace(server.URL, "amqp://", "amqps://", 1)}, TLS: vouched},
	} {
		c := newAway(t, o)
		soon(t, name+": it is told why", func() bool { return strings.Contains(c.Status()[0].Check, name) })
		if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
