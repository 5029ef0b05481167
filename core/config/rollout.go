package config

import (
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/exposure"
	"github.com/facet-gateway/facet/devices"
)

// Rollout says where replicas keep which version answers whom, and by what it is
// decided. What is decided is no configuration: see package rollout.
type Rollout struct {
	File       string       // where one machine keeps it, made with the first change; "": in memory, until the program ends
	Etcd       etcd.Options // where replicas keep it, instead of File; without endpoints: nowhere
	ForceKey   string       // the file of the key that testers' tokens are signed with; "": nobody can force a version
	UnitHeader string       // by which an app without a user names its device; "": none does
	Headers    rollout.Headers
	Quarantine Quarantine
	Exposure   exposure.Options // who is told of who saw what; nobody by default

	// Remotes are versions that live elsewhere, by CLASS/NAME, such as "phone/v9". nil:
	// there are none.
	Remotes map[string]Remote
}

// Quarantine is in how many requests within Window a version on trial may do something
// before it is taken out; 0: in any number.
type Quarantine struct {
	Panics   int           // panic; 0 to 10,000
	Overruns int           // go on in its own code after its page's time; 0 to 10,000
	Window   time.Duration // 1s to 1h
}

func defaultRollout() Rollout {
	return Rollout{
		File: "rollouts.json", Etcd: etcd.Options{Prefix: etcd.DefaultPrefix}, UnitHeader: "X-Device-Id", Headers: rollout.DefaultHeaders(),
		Quarantine: Quarantine{Panics: 3, Overruns: 3, Window: time.Minute},
		Exposure:   exposure.Options{Subject: exposure.DefaultSubject, Window: exposure.DefaultWindow},
	}
}

func (r *Rollout) decode(v value, known map[devices.Class][]string) {
	v.fields(
		set("file", &r.File, path),
		field{"etcd", func(v value) { decodeEtcd(v, &r.Etcd) }},
		set("force_key", &r.ForceKey, path),
		set("unit_header", &r.UnitHeader, optionalHeader),
		field{"headers", func(v value) {
			v.fields(
				set("app_version", &r.Headers.AppVersion, optionalHeader),
				set("country", &r.Headers.Country, optionalHeader),
				set("locale", &r.Headers.Locale, optionalHeader),
			)
		}},
		field{"quarantine", r.Quarantine.decode},
		field{"exposure", func(v value) { decodeExposure(v, &r.Exposure) }},
		field{"remotes", func(v value) { r.decodeRemotes(v, known) }},
	)
}

const (
	maxEtcd   = 16
	etcdRule  = "http://HOST:PORT or https://HOST:PORT"
	maxPrefix = 200
)

func decodeEtcd(v value, o *etcd.Options) {
	v.fields(
		set("endpoints", &o.Endpoints, distinct(etcdServer, maxEtcd)),
		set("prefix", &o.Prefix, etcdPrefix),
		set("user", &o.User, userName),
		set("password_file", &o.PasswordFile, path),
		set("ca_file", &o.CAFile, path),
		set("cert_file", &o.CertFile, path),
		set("key_file", &o.KeyFile, path),
	)
	if err := o.Validate(); len(o.Endpoints) > 0 && err != nil {
		v.failKey("does not fit together: %v; allowed: user and password_file, cert_file and key_file, each with the other", err)
	}
}

// etcdServer reads the address of a server. What it says of itself is checked with the
// rest.
func etcdServer(v value) (string, bool) {
	text, ok := scalar(v, "http://127.0.0.1:2379")
	if ok && !etcd.ValidEndpoint(text) {
		v.fail("%q is not an address of etcd; allowed: %s", shorten(text), etcdRule)
		return "", false
	}
	return text, ok
}

func etcdPrefix(v value) (string, bool) {
	text, ok := scalar(v, etcd.DefaultPrefix)
	if ok && !etcd.ValidPrefix(text) {
		v.fail("%q is not a prefix; allowed: a path of at most %d bytes, such as %s", shorten(text), maxPrefix, etcd.DefaultPrefix)
		return "", false
	}
	return text, ok
}

func userName(v value) (string, bool) {
	text, ok := scalar(v, "facet")
	if ok && (!isWord(text) && text != "" || len(text) > maxName) {
		v.fail("%q is not a user's name; allowed: at most %d letters, digits, - and _", shorten(text), maxName)
		return "", false
	}
	return text, ok
}

const maxServers = 16

func decodeExposure(v value, o *exposure.Options) {
	v.fields(
		set("log", &o.Log, boolean),
		set("nats", &o.NATS, distinct(natsServer, maxServers)),
		set("subject", &o.Subject, subject),
		set("window", &o.Window, within(duration, exposure.MinWindow, exposure.MaxWindow)),
		set("credentials", &o.Credentials, path),
		set("ca", &o.CA, path),
		set("certificate", &o.Certificate, path),
		set("key", &o.Key, path),
		set("hash_key", &o.HashKey, path),
	)
	if key, ok := v.find("key"); ok && o.Certificate == "" && o.Key != "" {
		key.failKey("is given without certificate; allowed: with it")
	}
	if certificate, ok := v.find("certificate"); ok && o.Certificate != "" && o.Key == "" {
		certificate.failKey("is given without key; allowed: with it")
	}
}

// natsServer reads a URL, which is not repeated: a password may be in it.
func natsServer(v value) (string, bool) {
	text, ok := scalar(v, "nats://127.0.0.1:4222")
	if ok && (exposure.Options{NATS: []string{text}}).Validate() != nil {
		v.fail("is not an address of NATS; allowed: nats://HOST:PORT or tls://HOST:PORT")
		return "", false
	}
	if ok && strings.Contains(text, "@") { // a file is shown around and kept in repositories
		v.fail("says who asks; allowed: nats://HOST:PORT or tls://HOST:PORT, and a file of credentials or a certificate")
		return "", false
	}
	return text, ok
}

func subject(v value) (string, bool) {
	text, ok := scalar(v, exposure.DefaultSubject)
	if ok && (exposure.Options{Subject: text}).Validate() != nil {
		v.fail("%q is not a subject; allowed: words with dots between, without *, > and spaces, such as %s",
			shorten(text), exposure.DefaultSubject)
		return "", false
	}
	return text, ok
}

func (q *Quarantine) decode(v value) {
	const most = 10_000
	v.fields(
		set("panics", &q.Panics, within(count, 0, most)),
		set("overruns", &q.Overruns, within(count, 0, most)),
		set("window", &q.Window, within(duration, time.Second, time.Hour)),
	)
}

func (r *Rollout) files() []*string {
	return []*string{
		&r.File, &r.ForceKey, &r.Etcd.PasswordFile, &r.Etcd.CAFile, &r.Etcd.CertFile, &r.Etcd.KeyFile,
		&r.Exposure.Credentials, &r.Exposure.CA, &r.Exposure.Certificate, &r.Exposure.Key, &r.Exposure.HashKey,
	}
}

// optionalHeader reads the name of a request header, or "" for none.
func optionalHeader(v value) (string, bool) {
	text, ok := scalar(v, "X-Device-Id")
	if !ok || text == "" {
		return text, ok
	}
	if !isHeader(text) {
		v.fail("%q is not a header's name; allowed: 1 to %d of a-z, A-Z, 0-9 and -, such as X-Device-Id, or \"\"", shorten(text), maxName)
		return "", false
	}
	return text, true
}

func isHeader(text string) bool { return isWord(text) && !strings.Contains(text, "_") }
