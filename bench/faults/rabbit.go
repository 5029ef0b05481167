package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/facet-gateway/facet/bench/process"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
)

// rabbit is a real RabbitMQ, in a folder of its own.
type rabbit struct {
	lab     *lab
	url     string
	address string
	env     []string
	names   *process.Process // the Erlang port mapper, which it needs
	broker  *process.Process
	started int
}

func (l *lab) startRabbit(ctx context.Context) (*rabbit, error) {
	if _, err := os.Stat(amqptest.Program); err != nil {
		return nil, fmt.Errorf("rabbit: %w: `make faults` installs it", err)
	}
	ports, err := freePorts(ctx, 3) //nolint:mnd // of clients, of its node, of the port mapper
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(l.dir, "rabbit-"+ports[0])
	if err := amqptest.Prepare(folder); err != nil {
		return nil, err //nolint:wrapcheck // it says which file
	}
	r := &rabbit{
		lab: l, address: net.JoinHostPort("127.0.0.1", ports[0]), url: "amqp://guest:guest@127.0.0.1:" + ports[0],
		env: amqptest.Environment(folder, ports),
	}
	if r.names, err = r.run(ctx, "epmd-"+ports[0], "epmd", "-address", "127.0.0.1", "-port", ports[2]); err != nil {
		return nil, err
	}
	if err := r.start(ctx); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *rabbit) run(ctx context.Context, name, program string, args ...string) (*process.Process, error) {
	all := append(append([]string{"-i"}, r.env...), program)
	return process.Start(ctx, r.lab.dir, name, gogc, "env", append(all, args...)...)
}

// start starts the broker, and waits until it serves.
func (r *rabbit) start(ctx context.Context) (err error) {
	const longest = time.Minute
	r.started++
	if r.broker, err = r.run(ctx, fmt.Sprintf("rabbit-%d-%d", r.names.PID(), r.started), amqptest.Program); err != nil {
		return err
	}
	for began := time.Now(); !amqptest.Serves(r.address); {
		if time.Since(began) > longest {
			return errors.New("rabbit: it does not serve:\n" + r.broker.LastWords())
		}
		if err := sleep(ctx, lookEach); err != nil {
			return err
		}
	}
	return nil
}

// kill ends the broker at once; start has it back.
func (r *rabbit) kill() error {
	err := r.broker.Signal(syscall.SIGKILL)
	r.broker.Stop()
	return err
}

func (r *rabbit) stop() {
	for _, p := range []*process.Process{r.broker, r.names} {
		if p != nil {
			_ = p.Signal(syscall.SIGKILL) // it has nothing to keep
			p.Stop()
		}
	}
}

// freePorts are different: each is held until all are known.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var config net.ListenConfig
	ports := make([]string, n)
	for i := range ports {
		l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("ports: %w", err)
		}
		defer func() { _ = l.Close() }() // it has told which port is free
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports, nil
}
