package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
)

// Resolver says where a service's instances are found. At most one of the four is
// given, which is the one that has its required field.
type Resolver struct {
	Path       string // before every target, of instances that are found without one
	DNS        discovery.DNSOptions
	Etcd       discovery.EtcdOptions
	Consul     discovery.ConsulOptions
	Kubernetes discovery.KubernetesOptions
}

// Given reports whether there is one.
func (r *Resolver) Given() bool { return len(r.given()) > 0 }

func (r *Resolver) given() (kinds []string) {
	for _, one := range []struct {
		kind  string
		given bool
	}{
		{"dns", r.DNS.Name != ""}, {"etcd", len(r.Etcd.Endpoints) > 0}, {"consul", r.Consul.Service != ""},
		{"kubernetes", r.Kubernetes.Service != ""},
	} {
		if one.given {
			kinds = append(kinds, one.kind)
		}
	}
	return kinds
}

// Make makes what finds the instances. It fails with a [*fault.Error] that names the
// field at fault, such as "dns.name".
func (r *Resolver) Make() (discovery.Resolver, error) {
	kinds := r.given()
	if len(kinds) != 1 {
		return nil, errors.New("one of dns, etcd, consul and kubernetes has to be given")
	}
	return r.make(kinds[0])
}

func (r *Resolver) make(kind string) (made discovery.Resolver, err error) {
	switch kind {
	case "dns":
		made, err = discovery.NewDNS(r.DNS)
	case "etcd":
		made, err = discovery.NewEtcd(r.Etcd)
	case "consul":
		made, err = discovery.NewConsul(r.Consul)
	default:
		made, err = discovery.NewKubernetes(r.Kubernetes)
	}
	return made, err //nolint:wrapcheck // it names the field
}

func decodeResolver(v value, r *Resolver) {
	v.fields(
		set("path", &r.Path, urlPath),
		field{"dns", func(v value) {
			v.fields(
				set("name", &r.DNS.Name, plain("catalog.shop.internal")), set("type", &r.DNS.Type, oneOf("a", "srv")),
				set("port", &r.DNS.Port, count), set("servers", &r.DNS.Servers, distinct(plain("10.0.0.2"), maxResolvers)),
				set("min_ttl", &r.DNS.MinTTL, duration), set("max_ttl", &r.DNS.MaxTTL, duration),
			)
			r.check(v, "dns", "name", "catalog.shop.internal")
		}},
		field{"etcd", func(v value) {
			o := &r.Etcd
			v.fields(
				set("endpoints", &o.Endpoints, distinct(etcdServer, maxEtcd)), set("prefix", &o.Prefix, plain("/services/catalog")),
				set("user", &o.User, userName), set("password_file", &o.PasswordFile, path), set("ca_file", &o.CAFile, path),
				set("cert_file", &o.CertFile, path), set("key_file", &o.KeyFile, path),
			)
			r.check(v, "etcd", "endpoints", `["https://10.0.0.1:2379"]`)
		}},
		field{"consul", func(v value) {
			o := &r.Consul
			v.fields(
				set("address", &o.Address, plain(discovery.DefaultConsul)), set("service", &o.Service, plain("catalog")),
				set("tag", &o.Tag, plain("primary")), set("datacenter", &o.Datacenter, plain("dc1")),
				set("token_file", &o.TokenFile, path), set("ca_file", &o.CAFile, path),
			)
			r.check(v, "consul", "service", "catalog")
		}},
		field{"kubernetes", func(v value) {
			o := &r.Kubernetes
			v.fields(
				set("address", &o.Address, plain("https://10.0.0.1:443")), set("service", &o.Service, plain("catalog")),
				set("port", &o.Port, plain("http")), set("namespace", &o.Namespace, plain("shop")),
				set("token_file", &o.TokenFile, path), set("ca_file", &o.CAFile, path),
			)
			r.check(v, "kubernetes", "service", "catalog")
		}},
	)
	has := 0
	for _, kind := range []string{"dns", "etcd", "consul", "kubernetes"} {
		if _, ok := v.find(kind); ok {
			has++
		}
	}
	if has != 1 && v.isBlock() {
		v.failKey("has %d of dns, etcd, consul and kubernetes; allowed: one", has)
	}
}

// plain reads a text of which the package that gets it says what it has to be.
func plain(example string) reader[string] {
	return func(v value) (string, bool) { return scalar(v, example) }
}

// check says where the file has what a resolver refuses.
func (r *Resolver) check(v value, kind, required, example string) {
	if _, ok := v.find(required); !ok && v.isBlock() {
		v.missing(required, "such as "+example)
		return
	}
	if _, err := r.make(kind); err != nil {
		var f *fault.Error
		if !errors.As(err, &f) {
			v.failKey("cannot be: %v", err)
			return
		}
		name, _, _ := strings.Cut(f.Field, "[")
		at, ok := v.find(fileField(name))
		if !ok {
			v.failKey("%s: %s", f.Field, f.Detail)
			return
		}
		at.fail("%s", f.Detail)
	}
}

// fileField is how the file calls what packages call the field of a file.
func fileField(name string) string {
	if slices.Contains([]string{"ca", "cert", "key", "token", "password"}, name) {
		return name + "_file"
	}
	return name
}

// urlPath reads a path that goes before targets: "" or /such/as.
func urlPath(v value) (string, bool) {
	text, ok := scalar(v, "/v1")
	if !ok {
		return "", false
	}
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Path == "" || u.EscapedPath() != text || !strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/") ||
		slices.ContainsFunc(strings.Split(text, "/"), func(s string) bool { return s == "." || s == ".." })) {
		v.fail("%q is not a path; allowed: such as /v1, without a slash at its end", shorten(text))
		return "", false
	}
	return text, true
}
