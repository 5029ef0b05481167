package exposure

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Options say where exposures are told, and how. The zero value tells nobody.
type Options struct {
	Log     bool          // tell the log
	NATS    []string      // tell NATS, by the URLs of the servers of one cluster: nats://host:4222 or tls://host:4222
	Subject string        // of NATS; no wildcards; "": DefaultSubject
	Window  time.Duration // in which a unit is told once, MinWindow to MaxWindow; 0: DefaultWindow

	// Who the gateway is to NATS: a file of credentials as nsc writes it, or a user and
	// password in the URLs. It is read again for each connection.
	Credentials string

	// Files in PEM, for TLS: the authorities of the servers' certificates ("": those of
	// the system), and a certificate of the gateway's own with its key. Either of them
	// makes connections that are no TLS fail.
	CA, Certificate, Key string

	// HashKey is a file with a key of 32 bytes at least, but for white space around it,
	// which others of the machine must not be able to read.
	// Units are then told as the first 16 bytes of their HMAC-SHA256 (RFC 2104), in 32
	// hexadecimal digits: who has the key can join them, nobody else can guess them.
	HashKey string

	Replica string // tells replicas apart in what goes to NATS, as service.instance.id; "": not said
}

// The bounds of options, and what they are if nothing is said.
const (
	DefaultSubject = "facet.exposure"
	DefaultWindow  = time.Hour
	MinWindow      = time.Minute
	MaxWindow      = 24 * time.Hour
	maxSubject     = 256 // bytes
	minKey         = 32  // bytes
	maxKey         = 4096
	maxServers     = 16
	othersRead     = 0o077
)

// withDefaults returns the options with what was not said.
func (o Options) withDefaults() Options {
	if o.Subject == "" {
		o.Subject = DefaultSubject
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	return o
}

// Validate returns a [fault.Error] of code Invalid that names the field at fault as
// a configuration does, such as "hash_key". It reads no file.
func (o Options) Validate() error {
	o = o.withDefaults()
	if err := validURLs(o.NATS); err != nil {
		return err
	}
	switch {
	case o.Window < MinWindow || o.Window > MaxWindow:
		return fault.InvalidField("window", fmt.Sprintf("must be %v to %v", MinWindow, MaxWindow))
	case !validSubject(o.Subject):
		return fault.InvalidField("subject", fmt.Sprintf(
			"must be words with dots between, without white space, * or >, and at most %d bytes", maxSubject))
	case (o.Certificate == "") != (o.Key == ""):
		return fault.InvalidField("key", "must be given with certificate, or neither")
	}
	return nil
}

// validURLs repeats none of them: they may hold a password.
func validURLs(all []string) error {
	if len(all) > maxServers {
		return fault.InvalidField("nats", fmt.Sprintf("are %d servers; at most %d are allowed", len(all), maxServers))
	}
	for i, text := range all {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || (u.Scheme != "nats" && u.Scheme != "tls") || (u.Path != "" && u.Path != "/") {
			return fault.InvalidField(fmt.Sprintf("nats[%d]", i), "must be such as nats://host:4222 or tls://host:4222")
		}
	}
	return nil
}

func validSubject(text string) bool {
	if len(text) > maxSubject {
		return false
	}
	for word := range strings.SplitSeq(text, ".") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == '*' || r == '>' || r == 0x7f }) {
			return false
		}
	}
	return true
}

// readKey returns what a file holds, without the white space around it.
func readKey(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, unreadable("hash_key", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&othersRead != 0 {
		return nil, fault.InvalidField("hash_key", "others can read the file, and so name the units; allowed: chmod 600")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return nil, unreadable("hash_key", err)
	}
	key := strings.TrimSpace(string(text))
	if len(key) < minKey || len(text) > maxKey {
		return nil, fault.InvalidField("hash_key", fmt.Sprintf("the file must hold %d to %d bytes", minKey, maxKey))
	}
	return []byte(key), nil
}

func unreadable(field string, err error) error {
	return &fault.Error{
		Code: fault.Invalid, Reason: fault.ReasonInvalid, Field: field, Detail: "the file cannot be used", Cause: err,
	}
}
