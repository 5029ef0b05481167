// Package cachetest runs real cache servers for tests: Debian's redis-server and
// memcached, on a free port of loopback, with nothing on disk, to be stopped,
// killed and started again under load. A server that is not installed fails the
// test: `make test-tools` installs both.
package cachetest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a server process that a test may hurt. It ends with the test.
type Server struct {
	Addr string // HOST:PORT, the same after a restart

	t       testing.TB
	program string
	args    []string

	mu      sync.Mutex
	process *exec.Cmd // nil: killed
}

// Redis starts a redis-server without persistence; more are further arguments,
// such as "--requirepass", "secret".
func Redis(t testing.TB, more ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	return start(t, "redis-server", func(port string) []string {
		return append([]string{
			"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no",
			"--dir", dir, "--logfile", filepath.Join(dir, "log"), "--daemonize", "no",
		}, more...)
	})
}

// Memcached starts a memcached of 64 MiB.
func Memcached(t testing.TB) *Server {
	t.Helper()
	return start(t, "memcached", func(port string) []string {
		args := []string{"-l", "127.0.0.1", "-p", port, "-U", "0", "-m", "64"}
		if os.Geteuid() == 0 {
			args = append(args, "-u", "root") // as root it wants to be told who to be
		}
		return args
	})
}

const patience = 10 * time.Second

func start(t testing.TB, program string, args func(port string) []string) *Server {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: `make test-tools` installs it", err)
	}
	addr := freeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: addr, t: t, program: path, args: args(port)}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

func freeAddr(t testing.TB) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it has served
	return l.Addr().String()
}

// Start starts a server that was killed, empty, and waits until it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.CommandContext(context.Background(), s.program, s.args...) //nolint:gosec // of the two above
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}     // a test that is killed leaves none behind
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process = cmd
	var dialer net.Dialer
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := dialer.DialContext(context.Background(), "tcp", s.Addr)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s does not listen: %v", s.program, err)
		}
	}
}

// Kill ends the server at once, with all that it holds; a second time it does nothing.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait() // killed: that is its error
	s.process = nil
}

// Stop lets the server hang: it keeps its connections, and answers nothing until
// [Server.Continue].
func (s *Server) Stop() { s.signal(syscall.SIGSTOP) }

// Continue ends a Stop.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		s.t.Fatal("the server was killed")
	}
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// PID returns the id of the server's process, 0 if it was killed.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}
