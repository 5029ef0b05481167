package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
	"github.com/facet-gateway/facet/bench/process"
)

// life is how long an answer is taken from the cache that replicas share.
const life = 2 * time.Second

// lostRedis shows that cache being killed, stopped or restarted under load: no page
// is lost, none waits long, and what is remembered in memory is not asked again.
func lostRedis(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{5, 8 * time.Second, 8 * time.Second, 100}, dose{1, 2 * time.Second, 3 * time.Second, 60})
	server, err := l.startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	p := quick()
	p.redis, p.fresh = server.addr, life
	s, err := l.start(ctx, p) // also in the short form: each row has a server of its own
	if err != nil {
		return nil, err
	}
	defer s.close()
	all, err := s.withoutRedis(ctx, d, r, server)
	if err != nil {
		return nil, err
	}
	after, err := s.aftermath(ctx)
	return append(judgeRedis(all, d), after...), err
}

// withoutRedis has rounds in whose faulty run the server is hurt after a quarter of it.
func (s *stage) withoutRedis(ctx context.Context, d dose, r row, server *redis) (all []pair, err error) {
	for range d.rounds {
		if err := s.waitForCache(ctx); err != nil {
			return nil, err
		}
		var p pair
		if p.healthy, err = s.load(ctx, d.healthy, s.pages(d.rate, details)); err != nil {
			return nil, err
		}
		hurt := make(chan error, 1)
		go func() {
			err := sleep(ctx, d.faulty/4)
			if err == nil {
				err = server.hurt(ctx, r.fault)
			}
			hurt <- err
		}()
		p.faulty, err = s.load(ctx, d.faulty, s.pages(d.rate, details))
		if fault := <-hurt; err == nil {
			err = fault
		}
		if err == nil {
			err = server.restore(ctx)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func judgeRedis(all []pair, d dose) []finding {
	const more = 20 // ms
	p99, p99Hurt := column(all, func(e *episode, _ service) float64 { return millis(e.pages().Percentile(99, openloop.Any)) })
	_, room := column(all, func(e *episode, _ service) float64 { return roomForP99(e.late) })
	_, calls := column(all, func(e *episode, _ service) float64 { return callsPerLife(e, d.faulty) })
	calm, _ := column(all, func(e *episode, _ service) float64 { return callsPerLife(e, d.healthy) })
	return append(usual(all),
		lostPages(all),
		atMost("p99 of pages, ms, less than 20 more", p99, p99Hurt, median(p99)+more, room),
		atMost("calls per key and life", calm, calls, 1, nil),
	)
}

// callsPerLife relates the calls to the catalog to what they may be: one for each key
// and each of its lives, which are shortened by up to a tenth, and one that has begun.
func callsPerLife(e *episode, span time.Duration) float64 {
	const shortest = 0.9
	lives := span.Seconds()/(shortest*life.Seconds()) + 1
	return float64(e.counts["catalog"].Requests) / (known * lives)
}

// waitForCache waits until the gateway is connected to its cache.
func (s *stage) waitForCache(ctx context.Context) error {
	const longest = 20 * time.Second
	for began := time.Now(); ; {
		text, err := ask(ctx, http.MethodGet, s.admin+"/cache", "")
		if err != nil || strings.Contains(string(text), `"connected": true`) {
			return err
		}
		if time.Since(began) > longest {
			return fmt.Errorf("the cache is not connected after %v: %s", longest, text)
		}
		if err := sleep(ctx, lookEach); err != nil {
			return err
		}
	}
}

// redis is a real server, without anything on disk.
type redis struct {
	lab     *lab
	addr    string
	process *process.Process
	stopped bool
	started int
}

func (l *lab) startRedis(ctx context.Context) (*redis, error) {
	var config net.ListenConfig
	free, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	r := &redis{lab: l, addr: free.Addr().String()}
	_ = free.Close() // it has told which port is free
	return r, r.start(ctx)
}

// start starts the server, empty, and waits until it takes connections.
func (r *redis) start(ctx context.Context) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("redis: %w: `make faults` installs it", err)
	}
	_, port, _ := net.SplitHostPort(r.addr) // as the listener told it
	r.started++
	name := fmt.Sprintf("redis-%s-%d", port, r.started)
	r.process, err = process.Start(ctx, r.lab.dir, name, gogc, program, "--bind", "127.0.0.1", "--port", port,
		"--save", "", "--appendonly", "no", "--dir", r.lab.dir)
	if err != nil {
		return err
	}
	const longest = 10 * time.Second
	var dialer net.Dialer
	for began := time.Now(); ; {
		conn, err := dialer.DialContext(ctx, "tcp", r.addr)
		if err == nil {
			return conn.Close()
		}
		if time.Since(began) > longest {
			r.stop()
			return fmt.Errorf("redis: it does not listen: %w\n%s", err, r.process.LastWords())
		}
		if err := sleep(ctx, lookEach); err != nil {
			return err
		}
	}
}

// hurt kills the server, lets it hang, or kills it and starts it a second later.
func (r *redis) hurt(ctx context.Context, how string) error {
	if how == "stop" {
		r.stopped = true
		return r.process.Signal(syscall.SIGSTOP)
	}
	if err := r.process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	r.process.Stop()
	if how == "kill" {
		return nil
	}
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	return r.start(ctx)
}

// restore has the server well again, whatever was done to it.
func (r *redis) restore(ctx context.Context) error {
	if r.stopped {
		r.stopped = false
		return r.process.Signal(syscall.SIGCONT)
	}
	if r.process.Forget() == nil { // it runs
		return nil
	}
	return r.start(ctx)
}

// stop ends the server: one that hangs does not hear of it.
func (r *redis) stop() {
	if r.stopped {
		_ = r.process.Signal(syscall.SIGCONT) // it may have ended
	}
	r.process.Stop()
}
