package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// registry is a DNS server that knows where the instances of the catalog are.
type registry struct {
	addr string

	mu      sync.Mutex
	servers []*dns.Server // of UDP and TCP; none: it is dead
	known   []string      // HOST:PORT of each instance
}

const (
	registered = "_catalog._tcp.shop.test."
	ttl        = time.Second // of its answers
)

func newRegistry(ctx context.Context) (*registry, error) {
	var config net.ListenConfig
	free, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	r := &registry{addr: free.Addr().String()}
	_ = free.Close() // it has told which port is free
	return r, r.start(ctx)
}

func (r *registry) start(ctx context.Context) error {
	var config net.ListenConfig
	packets, err := config.ListenPacket(ctx, "udp", r.addr)
	if err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	listener, err := config.Listen(ctx, "tcp", r.addr)
	if err != nil {
		_ = packets.Close() // the first failure is the one to tell
		return fmt.Errorf("registry: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = []*dns.Server{{PacketConn: packets, Handler: r}, {Listener: listener, Handler: r}}
	for _, server := range r.servers {
		up := make(chan struct{})
		server.NotifyStartedFunc = func() { close(up) }
		go func() { _ = server.ActivateAndServe() }() // until kill
		<-up
	}
	return nil
}

// kill ends the server at once; start has it back.
func (r *registry) kill() {
	r.mu.Lock()
	servers := r.servers
	r.servers = nil
	r.mu.Unlock()
	for _, server := range servers {
		_ = server.Shutdown() // it has been started
	}
}

func (r *registry) tell(known []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = known
}

// ServeDNS answers which instances there are, and where one of them is.
func (r *registry) ServeDNS(w dns.ResponseWriter, asked *dns.Msg) {
	answer := new(dns.Msg).SetReply(asked)
	if len(asked.Question) == 1 {
		answer.Answer = r.answer(asked.Question[0])
	}
	if w.LocalAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if o := asked.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		answer.Truncate(size) // whoever asked asks again over TCP
	}
	_ = w.WriteMsg(answer) // whoever asked may be gone
}

func (r *registry) answer(q dns.Question) (all []dns.RR) {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: uint32(ttl / time.Second)}
	for _, one := range r.known {
		host, port, _ := net.SplitHostPort(one) // as a listener told it
		name := "i" + port + ".shop.test."
		switch {
		case q.Qtype == dns.TypeSRV && q.Name == registered:
			number, _ := strconv.ParseUint(port, 10, 16) // as above
			all = append(all, &dns.SRV{Hdr: header, Priority: 1, Weight: 1, Port: uint16(number), Target: name})
		case q.Qtype == dns.TypeA && q.Name == name:
			all = append(all, &dns.A{Hdr: header, A: net.ParseIP(host)})
		}
	}
	return all
}

// finds is the section of a configuration that asks it.
func (r *registry) finds() string {
	return fmt.Sprintf("resolver: {dns: {name: %s, type: srv, servers: [%q]}}", registered[:len(registered)-1], r.addr)
}
