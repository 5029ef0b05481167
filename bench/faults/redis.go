package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

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

// spoil writes rubbish under every key, over and over: texts, and lists where there were
// texts.
func (r *redis) spoil(ctx context.Context, lasting time.Duration) error {
	const each, size = 100 * time.Millisecond, 300
	const script = `for n, key in ipairs(redis.call('KEYS', '*')) do
		if n % 2 == 0 then redis.call('SET', key, ARGV[1], 'KEEPTTL')
		else redis.call('DEL', key) redis.call('RPUSH', key, ARGV[1]) end
	end return redis.call('DBSIZE')`
	_, port, _ := net.SplitHostPort(r.addr) // as the listener told it
	keys := 0
	for began := time.Now(); time.Since(began) < lasting; {
		var rubbish []byte
		for len(rubbish) < size {
			rubbish = binary.LittleEndian.AppendUint64(rubbish, rand.Uint64())
		}
		rubbish = bytes.ReplaceAll(rubbish, []byte{0}, []byte{1}) // an argument holds no 0
		output, err := exec.CommandContext(ctx, "redis-cli", "-p", port, "EVAL", script, "0", string(rubbish)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("redis-cli: %w\n%s", err, process.Tail(output))
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(output)))
		if err != nil {
			return fmt.Errorf("redis-cli: %s", process.Tail(output))
		}
		keys = max(keys, n)
		if err := sleep(ctx, each); err != nil {
			return err
		}
	}
	if keys == 0 {
		return errors.New("redis: there were no keys to spoil")
	}
	return nil
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
