// Package certtest has a certificate for tests of TLS.
package certtest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// Certificate is one that signs itself.
type Certificate struct {
	Pair        tls.Certificate
	Authorities *x509.CertPool // who vouch for it, and for nothing else

	Cert, Key string // files of both, as PEM; they end with the test
}

// Loopback returns the certificate of the test servers of the standard library, which is for
// 127.0.0.1, ::1 and example.com, and not for localhost.
func Loopback(t testing.TB) Certificate {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	folder := t.TempDir()
	c := Certificate{
		Pair: s.TLS.Certificates[0], Authorities: x509.NewCertPool(),
		Cert: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem"),
	}
	c.Authorities.AddCert(s.Certificate())
	private, err := x509.MarshalPKCS8PrivateKey(c.Pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.Cert, &pem.Block{Type: "CERTIFICATE", Bytes: c.Pair.Certificate[0]})
	write(t, c.Key, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return c
}

func write(t testing.TB, file string, block *pem.Block) {
	t.Helper()
	const private = 0o600
	if err := os.WriteFile(file, pem.EncodeToMemory(block), private); err != nil {
		t.Fatal(err)
	}
}
