package simulator

import (
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// answerer answers a request of one service. The answer may be shared.
type answerer func(*http.Request) *answer

// service is one backend service: a server with its fault and its counts.
type service struct {
	*host
	name    string
	address string // to ask for
	answer  answerer
	observe func(string, *http.Request)
	random  *random
	counts  counts
	bound   atomic.Pointer[gate]
	injury  atomic.Pointer[injury] // nil: healthy
	further map[string]further     // by transport, beside HTTP
}

func newService(name string, answer answerer, source *rand.Rand) *service {
	s := &service{name: name, answer: answer, random: &random{source: source}}
	s.host = newHost(s)
	return s
}

func (s *service) url() string {
	g := s.bound.Load()
	if g == nil {
		return ""
	}
	return "http://" + g.Addr().String()
}

// ServeHTTP counts the request and answers it, through the injury if there is one.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.counts.enter()
	defer s.leave(r)
	if s.observe != nil {
		s.observe(s.name, r)
	}
	// A server notices that its client left only once it has read the body.
	if r.Body != http.NoBody && !readForm(w, r) {
		badField("body").write(w)
		return
	}
	if s.injury.Load() != nil {
		s.serveInjured(w, r)
		return
	}
	s.answer(r).write(w)
}

// leave counts the end of a request. Its context ends before its handler only
// if the client went away, the service fell, or Close ended it.
func (s *service) leave(r *http.Request) {
	aborted := r.Context().Err() != nil && s.life.Err() == nil && !s.down()
	s.counts.leave(aborted)
}

func (s *service) fault() Fault {
	if i := s.injury.Load(); i != nil {
		return i.Fault
	}
	return Fault{}
}

func (s *service) down() bool {
	i := s.injury.Load()
	return i != nil && i.Down
}

// set replaces the fault; whoever waits in the old one looks again.
func (s *service) set(f Fault) {
	var next *injury
	if f != (Fault{}) {
		next = newInjury(f)
	}
	if old := s.injury.Swap(next); old != nil {
		close(old.replaced)
	}
	if f.Down {
		s.drop()
		for _, way := range s.further {
			way.drop()
		}
	}
}

// gate is a listener that breaks connections off while its service is down.
type gate struct {
	net.Listener
	service *service
}

// Accept returns the next connection that finds the service up.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil || !g.service.down() {
			return c, err
		}
		breakOff(c)
	}
}

// random is a source of numbers for many goroutines.
type random struct {
	mu     sync.Mutex
	source *rand.Rand
}

// float returns a number in [0, 1).
func (r *random) float() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Float64()
}
