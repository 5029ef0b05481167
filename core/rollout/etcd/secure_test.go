package etcd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

// authority signs certificates into a folder.
type authority struct {
	folder string
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{folder: t.TempDir()}
	a.cert, a.key = a.sign(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.folder, name) }

// sign makes NAME.pem and NAME.key.
func (a *authority) sign(t *testing.T, name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer, parent := key, template
	if a.key != nil {
		signer, parent = a.key, a.cert
	}
	text, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, name+".pem", "CERTIFICATE", text)
	a.write(t, name+".key", "PRIVATE KEY", secret)
	return cert, key
}

func (a *authority) write(t *testing.T, name, what string, text []byte) {
	t.Helper()
	if err := os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: what, Bytes: text}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	a.sign(t, "server", &x509.Certificate{ExtKeyUsage: usage, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	a.sign(t, "facet", &x509.Certificate{ExtKeyUsage: usage})
	server := etcdtest.Start(t, "--cert-file", a.file("server.pem"), "--key-file", a.file("server.key"),
		"--client-cert-auth", "--trusted-ca-file", a.file("ca.pem"))
	other := newAuthority(t)
	other.sign(t, "facet", &x509.Certificate{ExtKeyUsage: usage})

	const varies = "etcd" // the server ends the connection: how that looks varies
	options := func(change func(o *etcd.Options)) etcd.Options {
		o := etcd.Options{
			Endpoints: []string{server.URL}, CAFile: a.file("ca.pem"), CertFile: a.file("facet.pem"), KeyFile: a.file("facet.key"),
		}
		change(&o)
		return o
	}
	for name, row := range map[string]struct {
		change func(o *etcd.Options)
		word   string // of the reason
	}{
		"its signer is not known": {func(o *etcd.Options) { o.CAFile = "" }, "unknown authority"},
		"its signer is another":   {func(o *etcd.Options) { o.CAFile = other.file("ca.pem") }, "unknown authority"},
		"no certificate":          {func(o *etcd.Options) { o.CertFile, o.KeyFile = "", "" }, varies},
		"one it does not know":    {func(o *etcd.Options) { o.CertFile, o.KeyFile = other.file("facet.pem"), other.file("facet.key") }, varies},
		"in the clear":            {func(o *etcd.Options) { *o = at("http" + strings.TrimPrefix(server.URL, "https")) }, varies},
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, options(row.change))
			w := storetest.Watch(t, s)
			within(t, "Swap", func() error { return s.Swap(t.Context(), storetest.At(1, "eve")) })
			storetest.Until(t, "it is away", func() bool { return w.Away() != nil })
			if w.Last() != nil || !strings.Contains(w.Away().Error(), row.word) {
				t.Errorf("%+v, %v", w.Last(), w.Away())
			}
		})
	}
	s := opened(t, options(func(*etcd.Options) {}))
	w := storetest.Watch(t, s)
	swap(t, s, 1)
	storetest.Until(t, "it is there", func() bool { return w.Is(1) })
}

// TestUsers asks as a user that may do no more than it needs.
func TestUsers(t *testing.T) {
	server := etcdtest.Start(t)
	root := direct(t, clientv3.Config{Endpoints: []string{server.URL}})
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	do(root.UserAdd(ctx, "root", "toor"))
	do(root.UserGrantRole(ctx, "root", "root"))
	do(root.RoleAdd(ctx, "rollouts"))
	do(root.RoleGrantPermission(ctx, "rollouts", etcd.DefaultPrefix+"/", clientv3.GetPrefixRangeEnd(etcd.DefaultPrefix+"/"),
		clientv3.PermissionType(clientv3.PermReadWrite)))
	do(root.UserAdd(ctx, "facet", "s3cret"))
	do(root.UserGrantRole(ctx, "facet", "rollouts"))
	do(root.UserAdd(ctx, "nobody", "s3cret"))
	do(root.AuthEnable(ctx))

	file := filepath.Join(t.TempDir(), "password")
	as := func(user, password string) *etcd.Store {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := at(server.URL)
		if user != "" {
			o.User, o.PasswordFile = user, file
		}
		return opened(t, o)
	}
	for _, row := range []struct{ user, password, word string }{
		{"", "", "user name is empty"}, {"facet", "wrong", "authentication failed"}, {"nobody", "s3cret", "permission denied"},
	} {
		s := as(row.user, row.password)
		w := storetest.Watch(t, s)
		within(t, "Swap", func() error { return s.Swap(t.Context(), storetest.At(1, "eve")) })
		storetest.Until(t, "it is away", func() bool { return w.Away() != nil && strings.Contains(w.Away().Error(), row.word) })
		if strings.Contains(w.Away().Error(), "s3cret") {
			t.Errorf("%v", w.Away())
		}
	}
	s := as("facet", "s3cret")
	w := storetest.Watch(t, s)
	swap(t, s, 1)
	if err := s.Report(ctx, rollout.Replica{ID: "r-1"}); err != nil || !present(t, s, "r-1") {
		t.Error(err)
	}
	storetest.Until(t, "it is there", func() bool { return w.Is(1) })
	server.Kill() // and with it the tokens that it gave
	storetest.Until(t, "it is away", func() bool { return w.Away() != nil })
	server.Start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v: %v", w.Revisions(), w.Said())
		}
	})
	soon(t, healing, "it is there again", func() bool { return w.Is(1) })
	swap(t, s, 2)
	soon(t, time.Second, "it hears", func() bool { return w.Is(2) })
}
