package discovery

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	udpSize    = 1232 // bytes: what passes every network unbroken
	maxAliases = 16   // CNAMEs that lead to an answer
)

// answer is what a server says to one question.
type answer struct {
	records []dns.RR // of the type that was asked for; none: there are none
	ttl     time.Duration
}

// ask asks the servers in turn, beginning with the one that answered last; the only one
// there is twice, since a datagram can be lost. While nobody answers all of them
// together get the time of one, so that whoever is there again is found soon.
func (l *look) ask(ctx context.Context, name string, kind uint16) (*answer, error) {
	servers := slices.Clone(l.servers)
	if i := slices.Index(servers, l.good); i > 0 {
		servers[0], servers[i] = servers[i], servers[0]
	}
	within := limit
	if len(servers) == 1 {
		servers = append(servers, servers[0])
		within = limit / 2
	} else if l.out() {
		within = limit / time.Duration(len(servers))
	}
	var err error
	for _, server := range servers {
		var a *answer
		if a, err = l.query(ctx, server, name, kind, within); err == nil {
			l.good = server
			return a, nil
		}
		if ctx.Err() != nil {
			return nil, away("dns", context.Cause(ctx))
		}
	}
	return nil, err
}

// query asks one server, over TCP if the answer is too long for a datagram.
func (l *look) query(ctx context.Context, server, name string, kind uint16, within time.Duration) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	q := new(dns.Msg).SetQuestion(dns.CanonicalName(name), kind)
	q.SetEdns0(udpSize, false)
	a, err := exchange(ctx, "udp", server, q)
	if err == nil && a.Truncated {
		a, err = exchange(ctx, "tcp", server, q)
	}
	if err != nil {
		return nil, away("dns", err)
	}
	return read(q.Question[0], a)
}

// exchange ends with ctx, which the library heeds only while it dials.
func exchange(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	client := dns.Client{Net: network}
	conn, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()                                          //nolint:errcheck // it was asked
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // the read below ends
	a, _, err := client.ExchangeWithConnContext(ctx, q, conn)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return a, err
}

// read reads an answer to a question. That there is no such name, or nothing of that
// type, is one, too.
func read(q dns.Question, a *dns.Msg) (*answer, error) {
	switch {
	case !a.Response || len(a.Question) != 1 || a.Question[0].Qtype != q.Qtype || !strings.EqualFold(a.Question[0].Name, q.Name):
		return nil, rubbish("dns", "answers what was not asked")
	case a.Rcode != dns.RcodeSuccess && a.Rcode != dns.RcodeNameError:
		return nil, refused("dns", fmt.Sprintf("says %s of %s", dns.RcodeToString[a.Rcode], q.Name))
	}
	if found := follow(q, a.Answer); len(found.records) > 0 {
		return found, nil
	}
	return &answer{ttl: absence(a.Ns)}, nil
}

// follow finds the records of a name, behind what it is an alias of.
func follow(q dns.Question, records []dns.RR) *answer {
	found := &answer{ttl: greatestTTL}
	owner := q.Name
	for range maxAliases {
		alias := ""
		for _, r := range records {
			h := r.Header()
			if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, owner) {
				continue
			}
			if c, ok := r.(*dns.CNAME); ok {
				alias = c.Target
			} else if h.Rrtype == q.Qtype {
				found.records = append(found.records, r)
			} else {
				continue
			}
			found.ttl = min(found.ttl, seconds(h.Ttl))
		}
		if len(found.records) > 0 || alias == "" {
			break
		}
		owner = alias
	}
	return found
}

// absence is how long a name may be taken for absent (RFC 2308).
func absence(authority []dns.RR) time.Duration {
	for _, r := range authority {
		if soa, ok := r.(*dns.SOA); ok {
			return min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
		}
	}
	return greatestTTL // nobody says; the caller has bounds of its own
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

func (a *answer) addresses() []netip.Addr {
	var all []netip.Addr
	for _, r := range a.records {
		var ip netip.Addr
		switch r := r.(type) {
		case *dns.A:
			ip, _ = netip.AddrFromSlice(r.A)
		case *dns.AAAA:
			ip, _ = netip.AddrFromSlice(r.AAAA)
		}
		all = append(all, ip.Unmap())
	}
	return all
}
