//go:build !production

package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/facet-gateway/facet/adapters/simulator"
)

// ways are the transports over which a demonstration reaches its services.
type ways struct {
	of      map[string]string // transport by service; of those that are not there: http
	brokers map[string]string // URLs, by transport
	user    string            // who the gateway is to the broker of AMQP; "": its guest
	folder  string            // of its password
}

func newWays(d *demonstration) (*ways, error) {
	w := &ways{brokers: map[string]string{}}
	if d.plain {
		return w, nil
	}
	w.of = map[string]string{"cart": "grpc", "orders": "thrift", "inventory": "nats"}
	if d.amqp == "" {
		return w, nil
	}
	u, err := url.Parse(d.amqp)
	if err != nil || u.Host == "" {
		return nil, refused{errors.New("--amqp: it is not a URL of the form amqp://[USER:PASSWORD@]HOST:PORT[/VHOST]")}
	}
	w.of["shipping"], w.brokers["amqp"] = "amqp", d.amqp
	if w.user = u.User.Username(); w.user == "" {
		return w, nil
	}
	password, _ := u.User.Password()
	if password == "" {
		return nil, refused{errors.New("--amqp: the user needs a password; allowed: amqp://USER:PASSWORD@HOST:PORT")}
	}
	return w, w.keep(password)
}

// keep writes a password where the gateway reads it.
func (w *ways) keep(password string) (err error) {
	if w.folder, err = os.MkdirTemp("", "facet-demo-"); err != nil {
		return failed(err)
	}
	const private = 0o600
	if err := os.WriteFile(w.passwordFile(), []byte(password), private); err != nil {
		w.close()
		return failed(err)
	}
	return nil
}

func (w *ways) passwordFile() string { return filepath.Join(w.folder, "amqp-password") }

func (w *ways) close() {
	if w.folder != "" {
		_ = os.RemoveAll(w.folder) // a temporary folder
	}
}

// transports are those beside HTTP.
func (w *ways) transports() (all []string) {
	for _, transport := range w.of {
		all = append(all, transport)
	}
	return all
}

// to is what a configuration says of where a service is.
func (w *ways) to(shop *simulator.Simulator, service string) string {
	transport := w.of[service]
	if transport == "" {
		return fmt.Sprintf("instances: [%q]", shop.URL(service))
	}
	address := shop.Address(service, transport)
	if u, err := url.Parse(address); err == nil && u.User != nil {
		u.User = nil
		address = u.String()
	}
	text := fmt.Sprintf("transport: %s, instances: [%q]", transport, address)
	if w.user != "" && transport == "amqp" {
		text += fmt.Sprintf(", broker: {user: %q, password_file: %q}", w.user, w.passwordFile())
	}
	return text
}
