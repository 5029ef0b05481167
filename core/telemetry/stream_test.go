package telemetry_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/telemetry"
)

// commandFields is what Netflix' dashboard reads of a command, with JSON types.
var commandFields = map[string]string{
	"type": "string", "name": "string", "group": "string", "currentTime": "number", "isCircuitBreakerOpen": "bool",
	"errorPercentage": "number", "errorCount": "number", "requestCount": "number",
	"rollingCountSuccess": "number", "rollingCountFailure": "number", "rollingCountTimeout": "number",
	"rollingCountShortCircuited": "number", "rollingCountSemaphoreRejected": "number", "rollingCountThreadPoolRejected": "number",
	"rollingCountFallbackSuccess": "number", "rollingCountFallbackFailure": "number", "rollingCountFallbackRejection": "number",
	"rollingCountResponsesFromCache": "number", "rollingCountCollapsedRequests": "number", "rollingCountExceptionsThrown": "number",
	"rollingCountBadRequests": "number", "rollingCountEmit": "number", "rollingCountFallbackEmit": "number",
	"currentConcurrentExecutionCount": "number", "rollingMaxConcurrentExecutionCount": "number",
	"latencyExecute": "percentiles", "latencyExecute_mean": "number", "latencyTotal": "percentiles", "latencyTotal_mean": "number",
	"propertyValue_circuitBreakerRequestVolumeThreshold":             "number",
	"propertyValue_circuitBreakerSleepWindowInMilliseconds":          "number",
	"propertyValue_circuitBreakerErrorThresholdPercentage":           "number",
	"propertyValue_circuitBreakerForceOpen":                          "bool",
	"propertyValue_circuitBreakerForceClosed":                        "bool",
	"propertyValue_circuitBreakerEnabled":                            "bool",
	"propertyValue_executionIsolationStrategy":                       "string",
	"propertyValue_executionIsolationThreadTimeoutInMilliseconds":    "number",
	"propertyValue_executionTimeoutInMilliseconds":                   "number",
	"propertyValue_executionIsolationThreadInterruptOnTimeout":       "bool",
	"propertyValue_executionIsolationThreadPoolKeyOverride":          "null",
	"propertyValue_executionIsolationSemaphoreMaxConcurrentRequests": "number",
	"propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests":  "number",
	"propertyValue_metricsRollingStatisticalWindowInMilliseconds":    "number",
	"propertyValue_requestCacheEnabled":                              "bool",
	"propertyValue_requestLogEnabled":                                "bool",
	"reportingHosts":                                                 "number",
	"threadPool":                                                     "string",
}

// poolFields is what it reads of a pool of threads.
var poolFields = map[string]string{
	"type": "string", "name": "string", "currentTime": "number",
	"currentActiveCount": "number", "currentCompletedTaskCount": "number", "currentCorePoolSize": "number",
	"currentLargestPoolSize": "number", "currentMaximumPoolSize": "number", "currentPoolSize": "number",
	"currentQueueSize": "number", "currentTaskCount": "number", "rollingCountThreadsExecuted": "number",
	"rollingMaxActiveThreads": "number", "rollingCountCommandRejections": "number",
	"propertyValue_queueSizeRejectionThreshold":                   "number",
	"propertyValue_metricsRollingStatisticalWindowInMilliseconds": "number",
	"reportingHosts": "number",
}

// port serves a telemetry as the private port does: with limits on whole
// requests and answers that a stream has to outlive.
type port struct {
	*telemetry.Telemetry
	url  string
	stop func()
}

func newPort(t *testing.T, controls ...*command.Control) *port {
	t.Helper()
	p := &port{Telemetry: newTelemetry(t, telemetry.Options{Controls: controls})}
	life, end := context.WithCancel(context.Background())
	server := httptest.NewUnstartedServer(p.Handlers()["/hystrix.stream"])
	server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Config.BaseContext = func(net.Listener) context.Context { return life }
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil {
			t.Error(err)
		}
		return ctx
	}
	server.Start()
	p.url = server.URL + "/hystrix.stream"
	var once sync.Once
	p.stop = func() { once.Do(func() { end(); server.Close() }) }
	t.Cleanup(p.stop)
	return p
}

type event map[string]any

// reader is a client of the stream.
type reader struct {
	body  io.Closer
	lines *bufio.Scanner
}

func (p *port) read(t *testing.T, query string) *reader {
	t.Helper()
	answer, err := http.Get(p.url + query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream;charset=UTF-8" ||
		answer.Header.Get("Content-Encoding") != "" || answer.Uncompressed {
		t.Fatalf("%d %s, %v", answer.StatusCode, kind, answer.Header)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &reader{answer.Body, lines}
}

// next returns the next event, nil at the end of the stream.
func (r *reader) next(t *testing.T) event {
	t.Helper()
	for r.lines.Scan() {
		line := r.lines.Text()
		if line == "" {
			continue
		}
		data, isData := strings.CutPrefix(line, "data: ")
		var e event
		if err := json.Unmarshal([]byte(data), &e); !isData || err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return e
	}
	return nil
}

// round returns the next events of so many commands, by type and name.
func (r *reader) round(t *testing.T, commands int) map[string]event {
	t.Helper()
	all := map[string]event{}
	for range 2 * commands {
		e := r.next(t)
		if e == nil {
			t.Fatalf("the stream has ended: %v", r.lines.Err())
		}
		all[fmt.Sprint(e["type"], " ", e["name"])] = e
	}
	if len(all) != 2*commands {
		t.Fatalf("%d events are different, want %d", len(all), 2*commands)
	}
	return all
}

func typeOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case nil:
		return "null"
	case float64:
		if v == float64(int64(v)) && v >= 0 { // Netflix' are whole
			return "number"
		}
	case map[string]any:
		for _, p := range []string{"0", "25", "50", "75", "90", "95", "99", "99.5", "100"} {
			if typeOf(v[p]) != "number" {
				return "percentiles without " + p
			}
		}
		if len(v) == 9 {
			return "percentiles"
		}
	}
	return fmt.Sprintf("%T %v", v, v)
}

func checkFields(t *testing.T, e event, fields map[string]string) {
	t.Helper()
	for name, kind := range fields {
		if v, there := e[name]; !there || typeOf(v) != kind {
			t.Errorf("%s: %v (there: %v), want a %s", name, v, there, kind)
		}
	}
	for name := range e {
		if fields[name] == "" {
			t.Errorf("%s is no field of Netflix'", name)
		}
	}
}

func (e event) expect(t *testing.T, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if n, isInt := value.(int); isInt {
			value = float64(n)
		}
		if e[name] != value {
			t.Errorf("%s: %v, want %v", name, e[name], value)
		}
	}
}

// TestStreamTellsWhatWasCalled: values against what really happened.
func TestStreamTellsWhatWasCalled(t *testing.T) {
	c := newCommand("test.told")
	policy := c.Policy()
	policy.Timeout, policy.MaxConcurrent, policy.Cache.Stale = 150*time.Millisecond, 2, time.Hour
	if err := c.Configure(policy); err != nil {
		t.Fatal(err)
	}
	var hung sync.WaitGroup
	for range 2 {
		hung.Go(func() { ask(t, c, hanging) })
	}
	eventually(t, "both hang", func() bool { return c.Stats().InFlight == 2 })
	p := newPort(t, c.Control)
	r := p.read(t, "?delay=100")
	before := r.round(t, 1)
	before["HystrixCommand test.told"].expect(t, map[string]any{"currentConcurrentExecutionCount": 2, "requestCount": 0})
	before["HystrixThreadPool test.told"].expect(t, map[string]any{"currentActiveCount": 2, "currentTaskCount": 2})
	ask(t, c, good) // rejected
	hung.Wait()     // two timeouts
	for range 30 {
		ask(t, c, good)
	}
	for range 6 {
		ask(t, c, unknown)
	}
	for range 4 {
		ask(t, c, failing)
	}
	var e, pool event
	eventually(t, "the stream has it all", func() bool {
		all := r.round(t, 1)
		e, pool = all["HystrixCommand test.told"], all["HystrixThreadPool test.told"]
		return e["rollingCountFailure"] == 4.0
	})
	checkFields(t, e, commandFields)
	checkFields(t, pool, poolFields)
	e.expect(t, map[string]any{
		"group": "test", "isCircuitBreakerOpen": false, "requestCount": 37, "errorCount": 7, "errorPercentage": 18,
		"rollingCountSuccess": 30, "rollingCountTimeout": 2, "rollingCountSemaphoreRejected": 1, "rollingCountBadRequests": 6,
		"rollingCountExceptionsThrown": 13, "rollingCountFallbackSuccess": 0, "rollingCountThreadPoolRejected": 0,
		"currentConcurrentExecutionCount": 0, "rollingMaxConcurrentExecutionCount": 2,
		"propertyValue_executionTimeoutInMilliseconds": 150, "propertyValue_executionIsolationSemaphoreMaxConcurrentRequests": 2,
		"propertyValue_metricsRollingStatisticalWindowInMilliseconds": 10_000, "propertyValue_executionIsolationStrategy": "SEMAPHORE",
		"reportingHosts": 1, "threadPool": "test.told",
	})
	pool.expect(t, map[string]any{
		"currentPoolSize": 2, "currentActiveCount": 0, "currentCompletedTaskCount": 42, "rollingCountThreadsExecuted": 42,
		"rollingMaxActiveThreads": 2, "rollingCountCommandRejections": 1, "currentQueueSize": 0,
	})
	for _, field := range []string{"latencyExecute", "latencyTotal"} {
		at := e[field].(map[string]any)
		if longest := at["100"].(float64); longest < 150 || longest > 1000 || at["0"].(float64) > 50 {
			t.Errorf("%s: %v", field, at)
		}
	}
	if ms := e["currentTime"].(float64); time.Since(time.UnixMilli(int64(ms))) > 5*time.Second {
		t.Errorf("currentTime %v", ms)
	}
}

func TestStreamTellsOfAnOpenCircuit(t *testing.T) {
	c := newCommand("test.open").Default(func(int) int { return 7 })
	for range 25 {
		ask(t, c, failing)
	}
	r := newPort(t, c.Control).read(t, "")
	r.round(t, 1)["HystrixCommand test.open"].expect(t, map[string]any{
		"isCircuitBreakerOpen": true, "rollingCountFailure": 20, "rollingCountShortCircuited": 5, "errorPercentage": 100,
		"requestCount": 20, "rollingCountFallbackSuccess": 25, "rollingCountExceptionsThrown": 0,
	})
}

func TestForcedCircuits(t *testing.T) {
	c := newCommand("test.forced")
	o := telemetry.Options{Controls: []*command.Control{c.Control}}
	r := newPort(t, c.Control).read(t, "?delay=100")
	for _, tc := range []struct {
		force            func() error
		open, forced     float64
		forceOpen, close bool
	}{
		{func() error { return nil }, 0, 0, false, false},
		{func() error { return c.Force(command.ForcedOpen, 0) }, 1, 1, true, false},
		{func() error { return c.Force(command.ForcedClosed, time.Hour) }, 0, 1, false, true},
		{func() error { c.Release(); return nil }, 0, 0, false, false},
	} {
		if err := tc.force(); err != nil {
			t.Fatal(err)
		}
		expect(t, scrape(t, newTelemetry(t, o)), map[string]float64{
			`facet_command_circuit_open{command="test.forced",service="test"}`:   tc.open,
			`facet_command_circuit_forced{command="test.forced",service="test"}`: tc.forced,
		})
		var e event
		eventually(t, "what readers share is new", func() bool {
			e = r.round(t, 1)["HystrixCommand test.forced"]
			return e["isCircuitBreakerOpen"] == (tc.open == 1)
		})
		e.expect(t, map[string]any{
			"propertyValue_circuitBreakerForceOpen": tc.forceOpen, "propertyValue_circuitBreakerForceClosed": tc.close,
		})
	}
}

// TestStreamIsComplete: with a hundred circuits, for several readers, under load,
// for longer than the port lets an answer take.
func TestStreamIsComplete(t *testing.T) {
	const commands, readers = 100, 3
	var controls []*command.Control
	var all []*command.Command[int, int]
	for i := range commands {
		c := newCommand(fmt.Sprintf("test.c%d", i))
		all, controls = append(all, c), append(controls, c.Control)
	}
	p := newPort(t, controls...)
	for i, c := range all {
		for range i % 5 {
			ask(t, c, good)
		}
	}
	for name, e := range p.read(t, "").round(t, commands) {
		var i int
		if _, err := fmt.Sscanf(name, "HystrixCommand test.c%d", &i); err == nil {
			e.expect(t, map[string]any{"rollingCountSuccess": i % 5, "requestCount": i % 5})
		}
	}
	done := make(chan struct{})
	var load, reading sync.WaitGroup
	load.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-tick.C:
				ask(t, all[i%commands], good)
			}
		}
	})
	began := time.Now()
	for range readers {
		r := p.read(t, "?delay=100")
		reading.Go(func() {
			for rounds := 0; rounds < 3 || time.Since(began) < time.Second; rounds++ {
				for name, e := range r.round(t, commands) {
					if kind, _, _ := strings.Cut(name, " "); kind == "HystrixCommand" {
						checkFields(t, e, commandFields)
					} else {
						checkFields(t, e, poolFields)
					}
				}
			}
		})
	}
	reading.Wait()
	close(done)
	load.Wait()
}

func TestDelay(t *testing.T) {
	p := newPort(t, newCommand("test.delay").Control)
	for _, query := range []string{
		"?delay=99", "?delay=60001", "?delay=-1", "?delay=x", "?delay=500ms", "?delay=1e3",
		"?delay=99999999999999999999",
	} {
		answer := get(t, p.Telemetry, "GET", "/hystrix.stream"+query)
		var problem struct{ Code, Field string }
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil || answer.StatusCode != 400 || problem.Field != "delay" {
			t.Errorf("%s: %d %+v %v", query, answer.StatusCode, problem, err)
		}
	}
	r := p.read(t, "?delay=200")
	var times []float64
	for range 4 {
		times = append(times, r.round(t, 1)["HystrixCommand test.delay"]["currentTime"].(float64))
	}
	if took := times[3] - times[0]; took < 500 || took > 5000 || !slices.IsSorted(times) {
		t.Errorf("rounds at %v", times)
	}
}

func TestMethods(t *testing.T) {
	on := newTelemetry(t, telemetry.Options{})
	for path, allow := range map[string]string{"/metrics": "GET, HEAD", "/hystrix.stream": "GET"} {
		answer := get(t, on, "POST", path)
		if answer.StatusCode != 405 || answer.Header.Get("Allow") != allow || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
		w := httptest.NewRecorder()
		on.Handlers()[path].ServeHTTP(w, httptest.NewRequest("GET", path+"/x", http.NoBody))
		if w.Code != 404 {
			t.Errorf("below %s: %d", path, w.Code)
		}
	}
}

func TestStreamWithoutCommands(t *testing.T) {
	r := newPort(t).read(t, "?delay=100")
	for range 3 {
		if !r.lines.Scan() || r.lines.Text() != ": ping" || !r.lines.Scan() {
			t.Fatalf("%q, %v", r.lines.Text(), r.lines.Err())
		}
	}
}

func TestReadersAreBounded(t *testing.T) {
	p := newPort(t, newCommand("test.bounded").Control)
	var readers []*reader
	for range telemetry.ReaderLimit {
		readers = append(readers, p.read(t, ""))
	}
	answer := get(t, p.Telemetry, "GET", "/hystrix.stream")
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
	_ = readers[0].body.Close()
	eventually(t, "a place is free", func() bool { return p.Reading() == telemetry.ReaderLimit-1 })
	p.read(t, "").round(t, 1)
}

// TestStopEndsReaders, those who read and one who does not, within a second.
func TestStopEndsReaders(t *testing.T) {
	p := stuck(t)
	r := p.read(t, "?delay=60000")
	r.round(t, crowd)
	began := time.Now()
	p.stop()
	if took := time.Since(began); took > time.Second || p.Reading() != 0 {
		t.Errorf("the stop took %v; %d are still read to", took, p.Reading())
	}
	if e := r.next(t); e != nil || r.lines.Err() != nil {
		t.Errorf("the stream did not end well: %v %v", e, r.lines.Err())
	}
}

// TestStuckReaderIsCut: whoever does not read holds his place for the time of a
// write, and disturbs nobody.
func TestStuckReaderIsCut(t *testing.T) {
	p := stuck(t)
	other := p.read(t, "?delay=100")
	other.round(t, crowd)
	eventually(t, "it is cut", func() bool {
		other.round(t, crowd)
		return p.Reading() == 1
	})
}

// crowd is how many commands fill the buffers of a connection in one round.
const crowd = 60

// stuck returns a port with a reader who does not read.
func stuck(t *testing.T) *port {
	t.Helper()
	var controls []*command.Control
	for i := range crowd {
		controls = append(controls, newCommand(fmt.Sprintf("test.s%d", i)).Control)
	}
	p := newPort(t, controls...)
	p.CutAfter(400 * time.Millisecond)
	dialer := net.Dialer{}
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/hystrix.stream"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /hystrix.stream?delay=100 HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is served", func() bool { return p.Reading() == 1 })
	return p
}

// BenchmarkRound is what a round of fifteen commands costs, however many read it.
func BenchmarkRound(b *testing.B) {
	var controls []*command.Control
	for i := range 15 {
		c := newCommand(fmt.Sprintf("bench.round%d", i))
		ask(b, c, good)
		controls = append(controls, c.Control)
	}
	on := newTelemetry(b, telemetry.Options{Controls: controls})
	b.ReportAllocs()
	for b.Loop() {
		on.Round(time.Now())
	}
}
