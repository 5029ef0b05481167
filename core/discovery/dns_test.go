package discovery_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
)

// A TTL is whole seconds: a change is heard within one, and what a busy machine takes.
const soonest = 1500 * time.Millisecond

// healed is how soon whoever was gone is heard again.
const healed = 5 * time.Second

func resolveA(t *testing.T, servers ...string) *discovery.DNS {
	t.Helper()
	return resolve(t, discovery.DNSOptions{Name: "catalog.shop", Type: "a", Port: 80, Servers: servers})
}

func resolveSRV(t *testing.T, servers ...string) *discovery.DNS {
	t.Helper()
	return resolve(t, discovery.DNSOptions{Name: "_catalog._tcp.shop", Type: "srv", Servers: servers})
}

func resolve(t *testing.T, o discovery.DNSOptions) *discovery.DNS {
	t.Helper()
	r, err := discovery.NewDNS(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDNSFindsBothFamilies(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.holds("catalog.shop. 1 A 10.0.0.2", "catalog.shop. 1 A 10.0.0.1", "catalog.shop. 1 AAAA fd00::7", "other.shop. 1 A 10.9.9.9")
	w := watch(t, resolveA(t, z.addr))
	w.wants(time.Second, "10.0.0.1:80", "10.0.0.2:80", "[fd00::7]:80")
	z.holds("catalog.shop. 1 A 10.0.0.3")
	w.wants(soonest, "10.0.0.3:80")
	if lists, failures := w.counts(); lists != 2 || failures != 0 {
		t.Errorf("%d lists and %d failures were told", lists, failures)
	}
}

// TestDNSHonoursTTL: while a TTL of several seconds lasts nobody is asked again, and
// one of 0 is one of a second.
func TestDNSHonoursTTL(t *testing.T) {
	t.Parallel()
	for ttl, least := range map[int]time.Duration{0: time.Second, 3: 3 * time.Second} {
		t.Run(fmt.Sprintf("ttl=%d", ttl), func(t *testing.T) {
			t.Parallel()
			z := serveDNS(t)
			z.holds(fmt.Sprintf("catalog.shop. %d A 10.0.0.1", ttl), "catalog.shop. 60 AAAA fd00::7")
			w := watch(t, resolveA(t, z.addr))
			w.wants(time.Second, "10.0.0.1:80", "[fd00::7]:80")
			began := time.Now()
			z.holds("catalog.shop. 60 A 10.0.0.2")
			soon(t, least+soonest, "the change", func() bool { return w.last() == "10.0.0.2:80" })
			if took := time.Since(began); took < least-100*time.Millisecond {
				t.Errorf("asked again after %v, want %v", took, least)
			}
		})
	}
}

func TestDNSFollowsAliases(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.holds("Catalog.Shop. 1 CNAME a.shop.", "a.shop. 60 CNAME b.shop.", "b.shop. 60 A 10.0.0.1", "stray.shop. 60 A 10.9.9.9")
	w := watch(t, resolveA(t, z.addr))
	w.wants(time.Second, "10.0.0.1:80")
	z.holds("catalog.shop. 60 CNAME c.shop.", "c.shop. 60 A 10.0.0.2")
	w.wants(soonest, "10.0.0.2:80")
}

func TestDNSFindsServices(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.holds("_catalog._tcp.shop. 1 SRV 10 5 8081 a.shop.", "_catalog._tcp.shop. 1 SRV 10 0 8082 b.shop.",
		"_catalog._tcp.shop. 1 SRV 20 5 8083 spare.shop.", "_catalog._tcp.shop. 1 SRV 10 5 9081 a.shop.",
		"a.shop. 60 A 10.0.0.1", "a.shop. 60 AAAA fd00::1", "b.shop. 60 CNAME c.shop.", "c.shop. 60 A 10.0.0.2", "spare.shop. 60 A 10.0.0.9")
	w := watch(t, resolveSRV(t, z.addr))
	w.wants(time.Second, "10.0.0.1:8081", "[fd00::1]:8081", "10.0.0.1:9081", "[fd00::1]:9081", "10.0.0.2:8082")
	z.holds("_catalog._tcp.shop. 1 SRV 10 5 8081 a.shop.", "_catalog._tcp.shop. 1 SRV 5 5 8083 spare.shop.",
		"a.shop. 60 A 10.0.0.1", "spare.shop. 60 A 10.0.0.9")
	w.wants(soonest, "10.0.0.9:8083")
	z.holds("_catalog._tcp.shop. 1 SRV 0 0 0 .")
	w.fails(soonest, 0, "knows no instance")
	if w.last() != "10.0.0.9:8083" {
		t.Errorf("nothing is left but %q", w.last())
	}
}

// TestDNSAsksOverTCP: what is too long for a datagram comes whole.
func TestDNSAsksOverTCP(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	records, want := make([]string, 300), make([]string, 300)
	for n := range records {
		records[n] = fmt.Sprintf("catalog.shop. 60 A 10.0.%d.%d", 1+n/100, n%100)
		want[n] = fmt.Sprintf("10.0.%d.%d:80", 1+n/100, n%100)
	}
	z.holds(records...)
	w := watch(t, resolveA(t, z.addr))
	w.wants(time.Second, want...)
	if z.count("tcp A") != 1 {
		t.Errorf("asked %d times over TCP", z.count("tcp A"))
	}
}

func TestDNSTellsTheFirstThousand(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	records := make([]string, 1200)
	for n := range records {
		records[n] = fmt.Sprintf("catalog.shop. 60 A 10.1.%d.%d", n/100, n%100)
	}
	z.holds(records...)
	w := watch(t, resolveA(t, z.addr))
	w.fails(2*time.Second, 0, "200 instances too many")
	if n := len(strings.Fields(w.last())); n != discovery.MaxInstances {
		t.Errorf("%d instances were told", n)
	}
}

// TestDNSKeeps: whatever is wrong, what was told holds, one failure is told, and the
// next good answer is heard.
func TestDNSKeeps(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		wrong, mend func(z *zone)
		part        string
	}{
		"no such name": {func(z *zone) { z.holds() }, func(*zone) {}, "knows no instance"},
		"no records":   {func(z *zone) { z.holds("catalog.shop. 60 TXT nothing") }, func(*zone) {}, "knows no instance"},
		"gone":         {(*zone).stop, (*zone).restart, "cannot be asked"},
		"mute": {
			func(z *zone) { z.change(func() { z.mute = true }) }, func(z *zone) { z.change(func() { z.mute = false }) }, "cannot be asked",
		},
		"garbage": {
			func(z *zone) { z.change(func() { z.garbage = true }) }, func(z *zone) { z.change(func() { z.garbage = false }) }, "cannot be asked",
		},
		"SERVFAIL": {
			func(z *zone) {
				z.change(func() { z.rcodes[dns.TypeA], z.rcodes[dns.TypeAAAA] = dns.RcodeServerFailure, dns.RcodeServerFailure })
			},
			func(z *zone) { z.change(func() { clear(z.rcodes) }) }, "SERVFAIL",
		},
		"rubbish": {func(z *zone) { z.holds("catalog.shop. 1 A 0.0.0.0") }, func(*zone) {}, "0.0.0.0:80, which is no instance"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := serveDNS(t)
			z.holds("catalog.shop. 1 A 10.0.0.1")
			w := watch(t, resolveA(t, z.addr))
			w.wants(time.Second, "10.0.0.1:80")
			row.wrong(z)
			w.fails(4*time.Second, 0, row.part)
			if w.last() != "10.0.0.1:80" {
				t.Errorf("nothing is left but %q", w.last())
			}
			row.mend(z)
			z.holds("catalog.shop. 1 A 10.0.0.1")
			soon(t, healed, "told again", func() bool { lists, _ := w.counts(); return lists == 2 })
			if _, failures := w.counts(); failures != 1 {
				t.Errorf("%d failures were told", failures)
			}
			z.holds("catalog.shop. 1 A 10.0.0.2")
			w.wants(soonest, "10.0.0.2:80")
		})
	}
}

// TestDNSAbsence: what is not there is looked for within 5 s, and as soon as whoever
// says so allows.
func TestDNSAbsence(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	authority := parsed(t, []string{"shop. 3600 SOA ns.shop. admin.shop. 1 7200 900 1209600 1"})
	z.change(func() { z.negative = authority })
	w := watch(t, resolveA(t, z.addr))
	w.fails(time.Second, 0, "knows no instance")
	z.holds("catalog.shop. 60 A 10.0.0.1")
	w.wants(soonest, "10.0.0.1:80")
}

// TestDNSHalfAnswers: of a family that cannot be told those hold that were known.
func TestDNSHalfAnswers(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.holds("catalog.shop. 1 A 10.0.0.1", "catalog.shop. 1 AAAA fd00::7")
	w := watch(t, resolveA(t, z.addr))
	w.wants(time.Second, "10.0.0.1:80", "[fd00::7]:80")
	z.change(func() { z.rcodes[dns.TypeAAAA] = dns.RcodeServerFailure })
	z.holds("catalog.shop. 1 A 10.0.0.2")
	w.wants(soonest, "10.0.0.2:80", "[fd00::7]:80")
	w.fails(time.Second, 0, "SERVFAIL")
}

// TestDNSAsksServersInTurn: one that is mute and one that is gone cost time once.
func TestDNSAsksServersInTurn(t *testing.T) {
	t.Parallel()
	mute, gone, z := serveDNS(t), serveDNS(t), serveDNS(t)
	mute.change(func() { mute.mute = true })
	gone.stop()
	z.holds("catalog.shop. 1 A 10.0.0.1")
	w := watch(t, resolveA(t, mute.addr, gone.addr, z.addr))
	w.wants(3*time.Second, "10.0.0.1:80")
	asked := mute.count("udp A")
	z.holds("catalog.shop. 1 A 10.0.0.2")
	w.wants(soonest, "10.0.0.2:80")
	if mute.count("udp A") != asked {
		t.Error("the mute server is asked first again")
	}
}

// TestDNSEndsAtOnce: whoever waits for a mute server does not wait for its timeout.
func TestDNSEndsAtOnce(t *testing.T) {
	t.Parallel()
	z := serveDNS(t)
	z.change(func() { z.mute = true })
	w := watch(t, resolveA(t, z.addr, z.addr))
	soon(t, time.Second, "it is asked", func() bool { return z.count("udp A") > 0 })
	began := time.Now()
	w.stop()
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("ended after %v", took)
	}
}

func TestDNSServersOfTheSystem(t *testing.T) {
	t.Parallel()
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	for text, want := range map[string][]string{
		"nameserver 10.0.0.53\nsearch shop\nnameserver fd00::53\n": {"10.0.0.53:53", "[fd00::53]:53"},
		"search shop\n": nil,
	} {
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := discovery.ServersOf(resolveA(t), conf)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := discovery.ServersOf(resolveA(t), conf+".gone"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("no file: %v", err)
	}
}

func TestNewDNSRefuses(t *testing.T) {
	t.Parallel()
	good := discovery.DNSOptions{Name: "catalog.shop", Type: "a", Port: 80}
	with := func(change func(*discovery.DNSOptions)) discovery.DNSOptions {
		o := good
		change(&o)
		return o
	}
	for field, all := range map[string][]discovery.DNSOptions{
		"name": {
			with(func(o *discovery.DNSOptions) { o.Name = "" }), with(func(o *discovery.DNSOptions) { o.Name = "a..b" }),
			with(func(o *discovery.DNSOptions) { o.Name = "10.0.0.1" }), with(func(o *discovery.DNSOptions) { o.Name = "a b" }),
		},
		"type": {with(func(o *discovery.DNSOptions) { o.Type = "" }), with(func(o *discovery.DNSOptions) { o.Type = "A" })},
		"port": {
			with(func(o *discovery.DNSOptions) { o.Port = 0 }), with(func(o *discovery.DNSOptions) { o.Port = 65536 }),
			with(func(o *discovery.DNSOptions) { o.Type = "srv" }),
		},
		"servers": {with(func(o *discovery.DNSOptions) { o.Servers = make([]string, 9) })},
		"servers[1]": {
			with(func(o *discovery.DNSOptions) { o.Servers = []string{"10.0.0.1", "ns.shop"} }),
			with(func(o *discovery.DNSOptions) { o.Servers = []string{"10.0.0.1", "10.0.0.1:0"} }),
		},
		"min_ttl": {
			with(func(o *discovery.DNSOptions) { o.MinTTL = time.Millisecond }),
			with(func(o *discovery.DNSOptions) { o.MinTTL, o.MaxTTL = 3*time.Second, 2*time.Second }),
		},
		"max_ttl": {with(func(o *discovery.DNSOptions) { o.MaxTTL = 6 * time.Minute })},
	} {
		for _, o := range all {
			_, err := discovery.NewDNS(o)
			refusedField(t, err, field)
		}
	}
}

// refusedField fails unless an error is a fault of a field.
func refusedField(t *testing.T, err error, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != field {
		t.Errorf("got %v, want a fault of %s", err, field)
	}
}
