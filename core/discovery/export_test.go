package discovery

import (
	"bytes"
	"crypto/tls"
	"net/netip"

	"github.com/miekg/dns"
)

// ServersOf returns whom a resolver of DNS would ask, if the configuration of the
// system was a file.
func ServersOf(d *DNS, conf string) ([]string, error) {
	d.conf = conf
	return d.servers()
}

// What reads foreign bytes, for fuzzing.

// ReadEtcd reads what a key holds.
func ReadEtcd(text []byte) (Instance, error) { return readEtcd(text) }

// ReadConsul reads an answer, as it would be told.
func ReadConsul(text []byte) ([]Instance, error) {
	found, _, err := readConsul(text)
	list, _ := settle(found)
	return list, err
}

// ReadSlices reads a list of slices, and then a watch, as they would be told.
func ReadSlices(list, watch []byte, port string) (told [][]Instance, err error) {
	w := &kubernetesWatch{port: port, teller: teller{
		told: func(list []Instance) { told = append(told, list) }, failed: func(error) {},
	}}
	if w.slices, w.version, err = readList(list, port); err != nil {
		return nil, err
	}
	w.publish()
	for events := newEvents(bytes.NewReader(watch)); ; {
		e, err := events.next()
		if e == nil || err != nil {
			return told, err
		}
		if err := w.hear(e); err != nil {
			return told, err
		}
	}
}

// ReadDNS reads an answer to a question of A.
func ReadDNS(text []byte, name string) ([]netip.Addr, error) {
	var m dns.Msg
	if err := m.Unpack(text); err != nil {
		return nil, err
	}
	a, err := read(dns.Question{Name: dns.CanonicalName(name), Qtype: dns.TypeA, Qclass: dns.ClassINET}, &m)
	if err != nil {
		return nil, err
	}
	return a.addresses(), nil
}

// SecuredBy returns what a client of etcd presents and trusts.
func SecuredBy(o EtcdOptions) (*tls.Config, error) {
	_, secured, err := o.secrets()
	return secured, err
}
