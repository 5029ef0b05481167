// Package amqptest runs a real RabbitMQ for tests: Debian's rabbitmq-server, of one node, on
// free ports of loopback, in folders of its own, to be hung, killed and started again. It
// needs no rights and touches nothing of a server that the package itself may have
// started. If it is not installed, the test fails: `make test-tools` installs it.
package amqptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a server process that a test may hurt. It ends with the test.
type Server struct {
	URL string // that clients use, the same after a restart; its user is guest

	t       testing.TB
	address string
	epmd    string   // port
	env     []string // of the server
	log     string   // file
	broker  process
	names   process // the Erlang port mapper, which RabbitMQ does not start without
}

// Program is Debian's start script below the one that wants to be root.
const Program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

const patience = 60 * time.Second

// Start starts a RabbitMQ that has nothing but the user guest; more are lines of its
// rabbitmq.conf. It waits until it serves, which takes some five seconds.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	if _, err := os.Stat(Program); err != nil {
		t.Fatalf("%v: `make test-tools` installs it (Debian: apt-get install rabbitmq-server)", err)
	}
	ports := FreePorts(t, 3)
	folder := t.TempDir()
	s := &Server{
		URL: "amqp://guest:guest@127.0.0.1:" + ports[0], t: t, address: "127.0.0.1:" + ports[0],
		epmd: ports[2], log: filepath.Join(folder, "log"),
	}
	if err := Prepare(folder, more...); err != nil {
		t.Fatal(err)
	}
	s.env = Environment(folder, ports)
	t.Cleanup(func() { s.Kill(); s.names.kill() })
	s.names.start(t, s.env, s.log, "epmd", "-address", "127.0.0.1", "-port", s.epmd)
	await(t, "epmd", s.log, func() bool { return listens("127.0.0.1:" + s.epmd) })
	s.Start()
	return s
}

// Prepare writes what RabbitMQ reads in a folder; more are lines of its rabbitmq.conf.
func Prepare(folder string, more ...string) error {
	config := append([]string{"disk_free_limit.absolute = 1MB", "num_acceptors.tcp = 2"}, more...)
	const private, own = 0o600, 0o700
	return errors.Join(
		os.MkdirAll(folder, own),
		os.WriteFile(filepath.Join(folder, "rabbitmq.conf"), []byte(strings.Join(config, "\n")+"\n"), private),
		os.WriteFile(filepath.Join(folder, "plugins"), []byte("[].\n"), private),
	)
}

// Environment keeps all that RabbitMQ writes in a prepared folder, and all that it listens
// on to loopback: at the ports of its clients, of its node, and of the Erlang port mapper.
func Environment(folder string, ports []string) []string {
	const erlang = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none"
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "LANG=C.UTF-8",
		"ERL_EPMD_PORT=" + ports[2], "ERL_EPMD_ADDRESS=127.0.0.1",
		"RUNNING_UNDER_SYSTEMD=1", // the script becomes the server, instead of looking after it
		"RABBITMQ_NODENAME=facet" + ports[0] + "@localhost",
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + ports[0], "RABBITMQ_DIST_PORT=" + ports[1],
		"RABBITMQ_MNESIA_BASE=" + filepath.Join(folder, "data"), "RABBITMQ_LOGS=-", "RABBITMQ_LOG_BASE=" + folder,
		"RABBITMQ_CONFIG_FILE=" + filepath.Join(folder, "rabbitmq"), "RABBITMQ_CONF_ENV_FILE=" + filepath.Join(folder, "none"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(folder, "plugins"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=" + erlang,
	}
}

// FreePorts are ports of loopback that nobody listens on. They are different, since each
// is held until all are known.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	var config net.ListenConfig
	ports := make([]string, n)
	for i := range ports {
		l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // it has served
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports
}

// Start starts a server that was killed, and waits until it serves.
func (s *Server) Start() {
	s.t.Helper()
	s.broker.start(s.t, s.env, s.log, Program)
	await(s.t, "RabbitMQ", s.log, func() bool { return Serves(s.address) })
}

// Kill ends the server at once. A second time it does nothing.
func (s *Server) Kill() { s.broker.kill() }

// Stop lets the server hang: it keeps its connections, and answers nothing until
// [Server.Continue].
func (s *Server) Stop() { s.broker.signal(s.t, syscall.SIGSTOP) }

// Continue ends a Stop.
func (s *Server) Continue() { s.broker.signal(s.t, syscall.SIGCONT) }

func await(t testing.TB, what, log string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(log) //nolint:gosec // its own
			t.Fatalf("%s does not serve; its log:\n%s", what, text[max(0, len(text)-4000):])
		}
	}
}

func listens(address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Serves reports whether a broker greets who says the protocol's header to it.
func Serves(address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // it has served
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err != nil {
		return false
	}
	greeting := make([]byte, 1)
	_, err = io.ReadFull(conn, greeting)
	return err == nil && greeting[0] == 1 // a method
}

// process is a program that runs, or was killed.
type process struct {
	mu  sync.Mutex
	cmd *exec.Cmd // nil: it does not run
}

func (p *process) start(t testing.TB, env []string, log, name string, args ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a file of the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()                                               //nolint:errcheck // the program has it
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // it is RabbitMQ's
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves none behind
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.cmd = cmd
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // killed: that is its error
		p.cmd = nil
	}
}

// signal sends a signal, and waits until a process that is to stop has: the last of its
// threads might answer.
func (p *process) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		t.Fatal("the server was killed")
	}
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if signal == syscall.SIGSTOP {
		await(t, "to be stopped: the process", "", func() bool { return stopped(p.cmd.Process.Pid) })
	}
}

// stopped reports whether a process runs no more, by what the kernel says of its threads
// (proc(5): the state follows the name, which stands in parentheses).
func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*/stat", strconv.Itoa(pid)))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, name := range threads {
		text, err := os.ReadFile(name) //nolint:gosec // of /proc
		_, state, _ := strings.Cut(string(text), ") ")
		if err != nil || !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}
