package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/facet-gateway/facet/core/secret"
)

// Options say which cluster it is, and who asks it. What is "" is not needed, unless
// it says otherwise.
type Options struct {
	Endpoints    []string // of the cluster's servers: http://HOST:PORT each, or https://HOST:PORT each; at most 16
	Prefix       string   // of every key, such as "/shop/rollout"; "": DefaultPrefix
	User         string   // with PasswordFile
	PasswordFile string   // one line; read at the start
	CAFile       string   // PEM: who may sign the servers' certificates; "": whom the system trusts; read at the start
	CertFile     string   // PEM: who this gateway is, with KeyFile; read for each connection, so that it can be renewed
	KeyFile      string
}

// DefaultPrefix begins the keys of who says nothing else. Gateways that are no
// replicas of each other need two.
const DefaultPrefix = "/facet/rollout"

const (
	maxEndpoints = 16
	maxPrefix    = 200 // bytes
)

// Validate says what is wrong with the options, by the name of the field; it reads no file.
func (o *Options) Validate() error {
	if len(o.Endpoints) == 0 || len(o.Endpoints) > maxEndpoints {
		return fmt.Errorf("endpoints: there are %d; allowed: 1 to %d", len(o.Endpoints), maxEndpoints)
	}
	for _, endpoint := range o.Endpoints {
		if !ValidEndpoint(endpoint) {
			return fmt.Errorf("endpoints: %q is none; allowed: http://HOST:PORT or https://HOST:PORT", endpoint)
		}
		if scheme(endpoint) != scheme(o.Endpoints[0]) {
			return errors.New("endpoints: some are http, some https; allowed: one of them")
		}
	}
	if !ValidPrefix(o.Prefix) {
		return fmt.Errorf("prefix: %.200q is none; allowed: at most %d bytes, such as %s", o.Prefix, maxPrefix, DefaultPrefix)
	}
	return o.validateFiles()
}

// ValidPrefix reports whether a text is a path that keys can begin with.
func ValidPrefix(text string) bool {
	return len(text) <= maxPrefix && path.IsAbs(text) && path.Clean(text) == text && text != "/"
}

func (o *Options) validateFiles() error {
	switch {
	case (o.User == "") != (o.PasswordFile == ""):
		return errors.New("user: a user has a password_file, and nobody else has one")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return errors.New("cert: it needs its key, and the key needs it")
	case o.CAFile+o.CertFile != "" && !o.secure():
		return errors.New("ca, cert: they are for endpoints of https")
	}
	return nil
}

// ValidEndpoint reports whether a text is http://HOST:PORT or https://HOST:PORT.
func ValidEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Port() != "" &&
		text == u.Scheme+"://"+u.Host
}

func scheme(endpoint string) string {
	before, _, _ := strings.Cut(endpoint, "://")
	return before
}

func (o *Options) secure() bool { return scheme(o.Endpoints[0]) == "https" }

// password returns the one line of the file. No error repeats it.
func (o *Options) password() (string, error) {
	if o.PasswordFile == "" {
		return "", nil
	}
	text, err := secret.Read(o.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	return text, nil
}

// tls returns how to speak with the servers; nil: in the clear.
func (o *Options) tls() (*tls.Config, error) {
	if !o.secure() {
		return nil, nil //nolint:nilnil // no TLS is a choice
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca: there is no certificate in %s; allowed: PEM", o.CAFile)
		}
	}
	if o.CertFile == "" {
		return config, nil
	}
	if _, err := o.certificate(nil); err != nil {
		return nil, err
	}
	config.GetClientCertificate = o.certificate
	return config, nil
}

func (o *Options) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cert: %w", err)
	}
	return &c, nil
}
