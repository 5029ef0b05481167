// Package etcdtest runs a real etcd for tests: Debian's etcd-server, of one member or
// several, on free ports of loopback, in folders of their own, to be stopped, killed and started
// again with what it has. If it is not installed, the test fails: `make test-tools`
// installs it. A server that the package itself may have started is left alone.
package etcdtest

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a server process that a test may hurt. It ends with the test.
type Server struct {
	URL  string // that clients use, the same after a restart
	Data string // the folder of what it keeps, which a test may change while it is killed

	t       testing.TB
	program string
	args    []string
	health  string // URL
	log     string // file

	mu      sync.Mutex
	process *exec.Cmd // nil: killed
}

// Start starts an etcd of one member that has nothing; more are further arguments, such
// as "--cert-file", "FILE", with which its URL is one of https. It waits until it serves.
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	return Cluster(t, 1, more...)[0]
}

// Cluster is Start for several members.
func Cluster(t testing.TB, members int, more ...string) []*Server {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatalf("%v: `make test-tools` installs it (Debian: apt-get install etcd-server)", err)
	}
	const ports = 3 // of a member: for clients, for members, for those who ask how it is
	addrs := freeAddrs(t, ports*members)
	var all []string
	for i := range members {
		all = append(all, name(i)+"=http://"+addrs[ports*i+1])
	}
	servers := make([]*Server, members)
	for i := range servers {
		args := append([]string{"--initial-cluster", strings.Join(all, ",")}, more...)
		servers[i] = newServer(t, program, i, [ports]string(addrs[ports*i:]), args)
		servers[i].launch()
	}
	for _, s := range servers {
		s.wait()
	}
	return servers
}

func name(member int) string { return "m" + strconv.Itoa(member) }

func newServer(t testing.TB, program string, member int, addrs [3]string, more []string) *Server {
	t.Helper()
	scheme := "http://"
	if slices.Contains(more, "--cert-file") {
		scheme = "https://"
	}
	folder := t.TempDir()
	client, peer, metrics := scheme+addrs[0], "http://"+addrs[1], "http://"+addrs[2]
	s := &Server{
		URL: client, Data: filepath.Join(folder, "data"),
		t: t, program: program, health: metrics + "/health", log: filepath.Join(folder, "log"),
	}
	s.args = append([]string{
		"--name", name(member), "--data-dir", s.Data, "--logger", "zap", "--log-outputs", s.log,
		"--listen-client-urls", client, "--advertise-client-urls", client, "--listen-metrics-urls", metrics,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--heartbeat-interval", "50", "--election-timeout", "500",
	}, more...)
	t.Cleanup(s.Kill)
	return s
}

// freeAddrs are different, since each is held until all are known.
func freeAddrs(t testing.TB, n int) []string {
	t.Helper()
	var config net.ListenConfig
	addrs := make([]string, n)
	for i := range addrs {
		l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // it has served
		addrs[i] = l.Addr().String()
	}
	return addrs
}

const patience = 30 * time.Second

// Start starts a server that was killed, with what it had, and waits until it serves.
func (s *Server) Start() {
	s.t.Helper()
	s.launch()
	s.wait()
}

func (s *Server) launch() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.CommandContext(context.Background(), s.program, s.args...) //nolint:gosec // it is etcd
	cmd.Env = []string{"ETCD_UNSUPPORTED_ARCH=" + runtime.GOARCH}          // it starts on amd64 only, unless it is told
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}     // a test that is killed leaves none behind
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process = cmd
}

func (s *Server) wait() {
	s.t.Helper()
	for end := time.Now().Add(patience); !s.healthy(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(s.log)
			s.t.Fatalf("etcd does not serve; its log:\n%s", text)
		}
	}
}

// healthy asks whether the server has a leader and reads what was written.
func (s *Server) healthy() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.health, http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true // no connection stays that a leak would be counted of
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the server at once; what it has confirmed is on its disk. A second time it
// does nothing.
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
// [Server.Continue]. It waits until each thread has stopped: the last one might answer.
func (s *Server) Stop() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	for end := time.Now().Add(patience); !stopped(s.PID()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatal("etcd does not stop")
		}
	}
}

// stopped reports whether a process runs no more, by what the kernel says of its threads
// (proc(5): the state follows the name, which stands in parentheses).
func stopped(pid int) bool {
	threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
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
