package discovery_test

import (
	"net"
	"testing"

	"github.com/miekg/dns"

	"github.com/facet-gateway/facet/core/discovery"
)

// sound fails unless a list can be told: what is in it can be dialed, and is there once.
func sound(t *testing.T, list []discovery.Instance) {
	t.Helper()
	if len(list) == 0 {
		return
	}
	if _, err := discovery.Static(list); err != nil {
		t.Errorf("%v: %v", list, err)
	}
	for _, i := range list {
		host, port, err := net.SplitHostPort(i.Address)
		if err != nil || host == "" || port == "" {
			t.Errorf("%q cannot be dialed", i.Address)
		}
	}
}

func FuzzEtcd(f *testing.F) {
	for _, text := range []string{
		"10.0.0.1:80", "[fd00::7]:80", `{"address": "a:1", "zone": "z"}`, `{"address": "a:1", "address": "b:2"}`, `{"Address": "a:1"}`,
		`{"address": "a:1"}{}`, `{"address": {"address": "a:1"}}`, `{"address": null}`, "{", "", "\xff:1", `{"address": "a\u0000:1"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if i, err := discovery.ReadEtcd(text); err == nil {
			sound(t, []discovery.Instance{i})
		}
	})
}

func FuzzConsul(f *testing.F) {
	for _, text := range []string{
		`[{"Node": {"Address": "10.0.0.1", "Locality": {"Zone": "z"}}, "Service": {"Address": "", "Port": 80, "Locality": null}}]`,
		`[{"Service": {"Address": "fd00::7", "Port": 80}}, {"Service": {"Address": "fd00::7", "Port": 80}}]`,
		`[null]`, `null`, `{}`, `[{"Service": {"Address": "a:b", "Port": -1}}]`, `[{"Service": {"Port": 1e3}}]`, `[`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := discovery.ReadConsul(text)
		if err == nil {
			sound(t, list)
		}
	})
}

func FuzzKubernetes(f *testing.F) {
	const item = `{"metadata": {"name": "a", "resourceVersion": "1"}, "ports": [{"name": "http", "port": 80}],
		"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": null}, "zone": "z"}, {"addresses": []}]}`
	const list = `{"kind": "EndpointSliceList", "metadata": {"resourceVersion": "1"}, "items": [` + item + `]}`
	for _, watch := range []string{
		`{"type": "MODIFIED", "object": ` + item + `}` + "\n" + `{"type": "DELETED", "object": ` + item + `}`,
		`{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "2"}}}`, `{"type": "ERROR", "object": {"code": 410}}`,
		`{"type": "ADDED", "object": null}`, `{"type": "ADDED"}`, `[]`, `null`, `{"type`,
	} {
		f.Add([]byte(list), []byte(watch), "http")
	}
	f.Add([]byte(`{"items": [null]}`), []byte(""), "")
	f.Fuzz(func(t *testing.T, list, watch []byte, port string) {
		told, _ := discovery.ReadSlices(list, watch, port)
		for _, list := range told {
			sound(t, list)
		}
	})
}

func FuzzDNS(f *testing.F) {
	for _, records := range [][]string{
		{"a.shop. 1 A 10.0.0.1"}, {"a.shop. 1 CNAME a.shop."}, {"a.shop. 1 CNAME b.shop.", "b.shop. 1 A 10.0.0.1"}, {},
	} {
		m := new(dns.Msg).SetQuestion("a.shop.", dns.TypeA)
		m.Response = true
		for _, text := range records {
			r, err := dns.NewRR(text)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, r)
		}
		text, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ips, err := discovery.ReadDNS(text, "a.shop")
		for _, ip := range ips {
			if err == nil && ip.IsValid() && !ip.Is4() { // the invalid one is no instance
				t.Errorf("%v is no answer to A", ip)
			}
		}
	})
}
