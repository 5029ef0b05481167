package discovery_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone is a real server of DNS on loopback, over UDP and TCP, whose records a test
// changes. It ends with the test.
type zone struct {
	t       testing.TB
	addr    string
	servers []*dns.Server

	mu       sync.Mutex
	records  []dns.RR
	negative []dns.RR       // the authority of what is not there
	rcodes   map[uint16]int // of questions of a type, instead of an answer
	mute     bool           // it hears, and answers nothing
	garbage  bool           // it answers what is no message
	asked    map[string]int // by network and type, such as "udp SRV"
}

func serveDNS(t testing.TB) *zone {
	t.Helper()
	z := &zone{t: t, rcodes: make(map[uint16]int), asked: make(map[string]int)}
	z.start("127.0.0.1:0")
	t.Cleanup(z.stop)
	return z
}

// start serves at an address, of which port 0 is a port that is free for UDP and TCP.
func (z *zone) start(addr string) {
	z.t.Helper()
	l, c := listenBoth(z.t, addr)
	z.addr = l.Addr().String()
	z.servers = []*dns.Server{
		{Listener: l, Net: "tcp", Handler: z, ReadTimeout: time.Second},
		{PacketConn: c, Net: "udp", Handler: z},
	}
	for _, s := range z.servers {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { _ = s.ActivateAndServe() }()
		<-up
	}
}

func listenBoth(t testing.TB, addr string) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, c
		}
		_ = l.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// stop ends the server, which is started again at the same address.
func (z *zone) stop() {
	for _, s := range z.servers {
		_ = s.Shutdown()
	}
	z.servers = nil
}

func (z *zone) restart() { z.start(z.addr) }

// holds changes the records.
func (z *zone) holds(records ...string) {
	z.t.Helper()
	list := parsed(z.t, records)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = list
}

func parsed(t testing.TB, records []string) []dns.RR {
	t.Helper()
	list := make([]dns.RR, len(records))
	for n, text := range records {
		var err error
		if list[n], err = dns.NewRR(text); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// change changes how the server behaves.
func (z *zone) change(how func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	how()
}

func (z *zone) count(what string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[what]
}

// ServeDNS answers a question, as an authority that knows the whole chain of aliases.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	network, kind := w.LocalAddr().Network(), q.Question[0].Qtype
	z.asked[network+" "+dns.TypeToString[kind]]++
	if z.mute {
		return
	}
	if z.garbage {
		_, _ = w.Write([]byte("what is this?"))
		return
	}
	a := new(dns.Msg).SetRcode(q, z.rcodes[kind])
	if a.Rcode == dns.RcodeSuccess {
		z.answer(a, q.Question[0])
	}
	if network == "udp" {
		a.Truncate(int(q.IsEdns0().UDPSize()))
	}
	_ = w.WriteMsg(a)
}

func (z *zone) answer(a *dns.Msg, q dns.Question) {
	exists := false
	for owner := q.Name; owner != ""; {
		alias := ""
		for _, r := range z.records {
			if !strings.EqualFold(r.Header().Name, owner) {
				continue
			}
			exists = true
			if c, ok := r.(*dns.CNAME); ok {
				alias = c.Target
			} else if r.Header().Rrtype != q.Qtype {
				continue
			}
			a.Answer = append(a.Answer, r)
		}
		owner = alias
	}
	if len(a.Answer) == 0 {
		a.Ns = z.negative
	}
	if !exists {
		a.Rcode = dns.RcodeNameError
	}
}
