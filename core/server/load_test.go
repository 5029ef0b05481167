package server_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// The short form is for every run; the long one is
//
//	go test ./core/server -run TestLoadOfClients -v -clients 10000
var loadClients = flag.Int("clients", 500, "how many clients TestLoadOfClients has, of each transport in turn")

// loadGateway is set in the process that plays the gateway.
const loadGateway = "FACET_LOAD_GATEWAY"

const (
	loadRounds   = 5
	longLoad     = 10_000   // clients
	loadMemory   = 32 << 10 // bytes a client
	loadLatency  = time.Second
	loadDeadline = 2 * time.Minute
)

// loadStats is what the gateway's process tells of itself.
type loadStats struct {
	Hub        stream.HubStats
	Clients    server.ClientStats
	Goroutines int
	Stack      uint64 // bytes
	Heap       uint64 // bytes in use
}

// playGateway is the gateway of the load test, in a process of its own: it prints its
// address, and does what each line of its input says until there are no more.
func playGateway() error {
	var tell func(int)
	subscribed := make(chan struct{})
	hub := stream.NewHub(stream.HubOptions[int]{State: true, Linger: time.Second, Bytes: func(int) int { return 512 }},
		func(ctx context.Context, _ string, told func(int)) error {
			told(0)
			tell = told
			close(subscribed)
			<-ctx.Done()
			return nil
		})
	defer hub.Close()
	s, err := loadServer(hub)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	fmt.Println(ln.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			<-subscribed
			tell(n)
			continue
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_ = json.NewEncoder(os.Stdout).Encode(loadStats{hub.Stats(), s.Clients(), runtime.NumGoroutine(), m.StackInuse, m.HeapInuse})
	}
	stop()
	return <-served
}

func loadServer(hub *stream.Hub[string, int]) (*server.Server, error) {
	resolver, err := devices.NewResolver(devices.Options{})
	if err != nil {
		return nil, err
	}
	o := server.Options{
		Live: server.Live{Devices: resolver, LogRequests: true, Clients: server.Clients{Max: 20_000, Heartbeat: 15 * time.Second}},
		Fixed: server.Fixed{
			Auth: server.AuthHeader, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
			Limits: server.Limits{
				ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute,
				MaxHeaderBytes: 16 << 10, MaxHeaderLines: 100, ShutdownTimeout: 10 * time.Second,
			},
		},
	}
	for _, class := range []devices.Class{devices.TV, devices.Phone, devices.Tablet} {
		v, err := adapter.New(class, "v1", adapter.Live("/live/stock",
			func(_ *adapter.Request, q query) stream.Feed[int] { return hub.Feed(q.ID) },
			func(n int) loadEvent { return loadEvent{"in_stock", n} }))
		if err != nil {
			return nil, err
		}
		o.Versions = append(o.Versions, v)
	}
	return server.New(o)
}

// loadEvent is as large as what a phone is told of a stock.
type loadEvent struct {
	Availability string `json:"availability"`
	Left         int    `json:"left"`
}

// loadProcess is the gateway's process, as the test sees it.
type loadProcess struct {
	*exec.Cmd
	address string
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startLoad(t *testing.T) *loadProcess {
	t.Helper()
	p := &loadProcess{Cmd: exec.Command(os.Args[0])} //nolint:gosec // it is this program
	p.Env = append(os.Environ(), loadGateway+"=1")
	p.Stderr = os.Stderr
	var err error
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	t.Cleanup(func() {
		_ = p.in.Close()
		end := time.AfterFunc(30*time.Second, func() { _ = p.Process.Kill() })
		defer end.Stop()
		if err := p.Wait(); err != nil {
			t.Errorf("the gateway's process: %v", err)
		}
	})
	if !p.out.Scan() {
		t.Fatal("the gateway's process told no address")
	}
	p.address = p.out.Text()
	return p
}

func (p *loadProcess) say(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		t.Fatal(err)
	}
}

func (p *loadProcess) stats(t *testing.T) (s loadStats) {
	t.Helper()
	p.say(t, "stats")
	if !p.out.Scan() {
		t.Fatal("the gateway's process told nothing")
	}
	if err := json.Unmarshal(p.out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// resident is what the process has of the machine's memory, in bytes; 0: it is not known here.
func (p *loadProcess) resident() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, _ := strconv.Atoi(strings.Fields(rest)[0])
	return kib << 10
}

// loadClient is a client that takes down when each number came.
type loadClient struct {
	net.Conn
	read *bufio.Reader
	came chan<- time.Time // one for each number
}

func dialLoad(address string, webSocket bool, came chan<- time.Time) (*loadClient, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &loadClient{conn, bufio.NewReaderSize(conn, 512), came}
	ask := "GET /live/stock?id=p-1042&device=phone HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: load\r\nAccept: */*\r\n"
	if webSocket {
		key := make([]byte, 16)
		_, _ = rand.Read(key)
		ask += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
			base64.StdEncoding.EncodeToString(key) + "\r\n"
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// listen reads until the connection ends, and tells of each number but the first, which
// is 0. Both transports have what a number stands in.
func (c *loadClient) listen() {
	for {
		text, err := c.read.ReadString('}')
		if err != nil {
			return
		}
		if strings.Contains(text, `"left":`) {
			c.came <- time.Now()
		}
	}
}

func TestLoadOfClients(t *testing.T) {
	for _, transport := range []string{server.TransportSSE, server.TransportWebSocket} {
		t.Run(transport, func(t *testing.T) { loadOfClients(t, transport) })
	}
}

func loadOfClients(t *testing.T, transport string) {
	p := startLoad(t)
	before, calm := p.resident(), p.stats(t)
	came := make(chan time.Time, *loadClients)
	clients := make([]*loadClient, *loadClients)
	var listening sync.WaitGroup
	defer func() {
		for _, c := range clients {
			if c != nil {
				_ = c.Close()
			}
		}
		listening.Wait()
		waitFor(t, 30*time.Second, func() bool { s := p.stats(t); return s.Hub.Keys == 0 && s.Goroutines <= calm.Goroutines+2 })
	}()
	for i := range clients {
		var err error
		if clients[i], err = dialLoad(p.address, transport == server.TransportWebSocket, came); err != nil {
			t.Fatal(err)
		}
		listening.Go(clients[i].listen)
	}
	waitTimes(t, came, *loadClients)
	var all []time.Duration
	best := time.Hour // p99 of a round
	for round := range loadRounds {
		began := time.Now()
		p.say(t, strconv.Itoa(round+1))
		var took []time.Duration
		for _, at := range waitTimes(t, came, *loadClients) {
			took = append(took, at.Sub(began))
		}
		slices.Sort(took)
		best = min(best, took[len(took)*99/100])
		all = append(all, took...)
	}
	each := (p.resident() - before) / *loadClients
	slices.Sort(all)
	p50, p99, stats := all[len(all)/2], all[len(all)*99/100], p.stats(t)
	t.Logf("%d clients over %s: %d bytes resident each (heap %d, stacks %d, %d goroutines); updates at all: p50 %v, p99 %v, max %v",
		*loadClients, transport, each, int(stats.Heap-calm.Heap) / *loadClients, int(stats.Stack-calm.Stack) / *loadClients, stats.Goroutines,
		p50, p99, all[len(all)-1])
	if stats.Hub.Opens != 1 || stats.Hub.Keys != 1 || stats.Hub.Followers != *loadClients ||
		stats.Clients.Clients[transport]["phone"] != *loadClients {
		t.Errorf("%+v, %+v", stats.Hub, stats.Clients)
	}
	if *loadClients < longLoad { // in the short form, a machine that stalls once tells nothing
		p99 = best
	}
	if p99 > loadLatency {
		t.Errorf("p99 is %v, want %v", p99, loadLatency)
	}
	if *loadClients >= longLoad && each > loadMemory { // of fewer, what there is once is a part
		t.Errorf("%d bytes a client, want %d", each, loadMemory)
	}
}

// waitTimes takes so many times.
func waitTimes(t *testing.T, came <-chan time.Time, n int) []time.Time {
	t.Helper()
	all := make([]time.Time, 0, n)
	for deadline := time.After(loadDeadline); len(all) < n; {
		select {
		case at := <-came:
			all = append(all, at)
		case <-deadline:
			t.Fatalf("%d of %d came within %v", len(all), n, loadDeadline)
		}
	}
	return all
}
