package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/facet-gateway/facet/core/fault"
)

// DNSOptions say which name is looked up.
type DNSOptions struct {
	Name string // as a whole: no search list is tried; such as catalog.shop.internal, or _catalog._tcp.shop.internal
	Type string // "a": A and AAAA; "srv": SRV, and A and AAAA of the targets of the lowest priority (RFC 2782), without regard to weights
	Port int    // of every instance; with "srv" the records say it
	// Servers are asked in turn: IP:PORT, or IP for port 53; at most 8. None: those of
	// /etc/resolv.conf, which is read for each look.
	Servers []string
	MinTTL  time.Duration // what is less counts as that; 1 s to MaxTTL; 0: 1 s
	MaxTTL  time.Duration // what is more counts as that; at most 5 min; 0: 5 min
}

const (
	leastTTL    = time.Second
	greatestTTL = 5 * time.Minute
	negativeTTL = 4 * time.Second // what is not there is looked for again within that, to be known within 5 s
	maxServers  = 8
	resolvConf  = "/etc/resolv.conf"
)

// DNS resolves a name. It is looked up again once the least TTL of the answers is
// over. A look takes 10 s at most: a query for the name, and two for each target of
// SRV, one after the other.
type DNS struct {
	options DNSOptions
	conf    string // file
}

// NewDNS returns the resolver of a name. An error names the option at fault.
func NewDNS(o DNSOptions) (*DNS, error) {
	o.Name = strings.TrimSuffix(o.Name, ".")
	o.MinTTL, o.MaxTTL = defaulted(o.MinTTL, leastTTL), defaulted(o.MaxTTL, greatestTTL)
	switch {
	case !validName(o.Name) || validIP(o.Name):
		return nil, fault.InvalidField("name", fmt.Sprintf("%.100q is none; allowed: such as catalog.shop.internal", o.Name))
	case o.Type != "a" && o.Type != "srv":
		return nil, fault.InvalidField("type", fmt.Sprintf("%.100q is none; allowed: a, srv", o.Type))
	case o.Type == "a" && (o.Port < 1 || o.Port > maxPort):
		return nil, fault.InvalidField("port", fmt.Sprintf("%d is none; allowed: 1 to %d", o.Port, maxPort))
	case o.Type == "srv" && o.Port != 0:
		return nil, fault.InvalidField("port", "the records of srv say it")
	}
	if err := o.validateRest(); err != nil {
		return nil, err
	}
	return &DNS{options: o, conf: resolvConf}, nil
}

// validateRest looks at times and servers, and completes the servers.
func (o *DNSOptions) validateRest() error {
	switch {
	case o.MinTTL < leastTTL || o.MinTTL > o.MaxTTL:
		return fault.InvalidField("min_ttl", fmt.Sprintf("%v is out of range; allowed: %v to max_ttl, %v", o.MinTTL, leastTTL, o.MaxTTL))
	case o.MaxTTL > greatestTTL:
		return fault.InvalidField("max_ttl", fmt.Sprintf("%v is out of range; allowed: at most %v", o.MaxTTL, greatestTTL))
	case len(o.Servers) > maxServers:
		return fault.InvalidField("servers", fmt.Sprintf("there are %d; allowed: at most %d", len(o.Servers), maxServers))
	}
	servers := make([]string, len(o.Servers))
	for n, server := range o.Servers {
		if servers[n] = nameServer(server); servers[n] == "" {
			return fault.InvalidField(fmt.Sprintf("servers[%d]", n), fmt.Sprintf("%.100q is none; allowed: IP or IP:PORT", server))
		}
	}
	o.Servers = servers
	return nil
}

func defaulted(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// nameServer returns where a server is asked, "" if it is none.
func nameServer(text string) string {
	if ip, err := netip.ParseAddr(text); err == nil {
		return net.JoinHostPort(ip.String(), "53")
	}
	if at, err := netip.ParseAddrPort(text); err == nil && at.Port() != 0 {
		return text
	}
	return ""
}

func (d *DNS) String() string { return "dns " + d.options.Type + " " + d.options.Name }

// servers returns those to ask now.
func (d *DNS) servers() ([]string, error) {
	if len(d.options.Servers) > 0 {
		return d.options.Servers, nil
	}
	conf, err := dns.ClientConfigFromFile(d.conf)
	if err != nil {
		return nil, away("dns", err)
	}
	servers := make([]string, 0, len(conf.Servers))
	for _, s := range conf.Servers[:min(len(conf.Servers), maxServers)] {
		servers = append(servers, net.JoinHostPort(s, conf.Port))
	}
	if len(servers) == 0 {
		return nil, away("dns", fmt.Errorf("%s names no server", d.conf))
	}
	return servers, nil
}

// Watch looks the name up, again and again.
func (d *DNS) Watch(ctx context.Context, told func([]Instance), failed func(error)) {
	w := &dnsWatch{DNS: d, teller: teller{registry: "dns", told: told, failed: failed}}
	var b backoff
	for ctx.Err() == nil {
		l, err := w.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.fail(err)
			b.pause(ctx)
			continue
		}
		b.reset()
		w.tell(l.found, l.flaw)
		wait(ctx, w.bounded(l))
	}
}

// bounded is when to look again.
func (d *DNS) bounded(l *look) time.Duration {
	ttl := l.ttl
	if len(l.found) == 0 || l.flaw != nil {
		ttl = min(ttl, negativeTTL)
	}
	return min(max(ttl, d.options.MinTTL), d.options.MaxTTL)
}

// dnsWatch is a Watch. One goroutine has it.
type dnsWatch struct {
	*DNS
	teller
	good  string                        // the server that answered last
	known map[dns.Question][]netip.Addr // of the last look that had an answer
}

// look is one look at all that the name stands for.
type look struct {
	*dnsWatch
	servers []string
	fresh   map[dns.Question][]netip.Addr
	answers int // how many questions were answered

	found []Instance
	ttl   time.Duration
	flaw  error // the first thing that is missing
}

const longestLook = 10 * time.Second

func (w *dnsWatch) look(ctx context.Context) (*look, error) {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	servers, err := w.servers()
	if err != nil {
		return nil, err
	}
	l := &look{dnsWatch: w, servers: servers, fresh: make(map[dns.Question][]netip.Addr), ttl: greatestTTL}
	if w.options.Type == "srv" {
		err = l.services(ctx)
	} else {
		err = l.hosts(ctx, w.options.Name, w.options.Port)
	}
	if err == nil && l.answers == 0 {
		err = l.flaw
	}
	if err == nil {
		w.known = l.fresh
	}
	return l, err
}

// services finds the instances that SRV records tell.
func (l *look) services(ctx context.Context) error {
	a, err := l.ask(ctx, l.options.Name, dns.TypeSRV)
	if err != nil {
		return err
	}
	l.answers++
	l.lives(a.ttl)
	for _, s := range leading(a.records) {
		switch {
		case s.Target == ".": // there is decidedly no such service
		case s.Port == 0 || !validName(strings.TrimSuffix(s.Target, ".")):
			l.miss(rubbish("dns", fmt.Sprintf("knows %.100q with port %d, which is no instance", s.Target, s.Port)))
		default:
			if err := l.hosts(ctx, s.Target, int(s.Port)); err != nil {
				return err
			}
		}
	}
	return nil
}

// leading returns the records of the lowest priority: the others are for when none of
// these can be reached, of which a resolver knows nothing.
func leading(records []dns.RR) []*dns.SRV {
	var all []*dns.SRV
	for _, r := range records {
		s, ok := r.(*dns.SRV)
		switch {
		case !ok:
		case len(all) > 0 && s.Priority > all[0].Priority:
		case len(all) > 0 && s.Priority < all[0].Priority:
			all = []*dns.SRV{s}
		default:
			all = append(all, s)
		}
	}
	return all
}

// hosts finds the addresses of a name, of both families. Where a family cannot be
// told, those hold that were known.
func (l *look) hosts(ctx context.Context, name string, port int) error {
	for _, family := range []uint16{dns.TypeA, dns.TypeAAAA} {
		ips, err := l.addresses(ctx, dns.Question{Name: dns.CanonicalName(name), Qtype: family, Qclass: dns.ClassINET})
		if err != nil {
			return err
		}
		for _, ip := range ips {
			address := net.JoinHostPort(ip.String(), strconv.Itoa(port))
			if !validAddress(address) {
				l.miss(rubbish("dns", "knows "+address+", which is no instance"))
				continue
			}
			l.found = append(l.found, Instance{Address: address})
		}
	}
	return nil
}

func (l *look) addresses(ctx context.Context, q dns.Question) ([]netip.Addr, error) {
	if ips, ok := l.fresh[q]; ok {
		return ips, nil
	}
	a, err := l.ask(ctx, q.Name, q.Qtype)
	switch {
	case err == nil:
		l.answers++
		l.lives(a.ttl)
		l.fresh[q] = a.addresses()
	case fault.CodeOf(err) == fault.Unavailable:
		return nil, err // nobody is there to ask about the others
	default:
		l.miss(err)
		l.fresh[q] = l.known[q]
	}
	return l.fresh[q], nil
}

func (l *look) lives(ttl time.Duration) { l.ttl = min(l.ttl, ttl) }

func (l *look) miss(err error) {
	if l.flaw == nil {
		l.flaw = err
	}
}
