package http_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// answerWithPath answers with the target in id, and size times its last digit
// in name.
func answerWithPath(size int) func(int, *nethttp.Request) (string, bool) {
	return func(_ int, r *nethttp.Request) (string, bool) {
		target := r.URL.RequestURI()
		name := strings.Repeat(target[len(target)-1:], size)
		return okJSON(fmt.Sprintf(`{"id":%q,"name":%q}`, target, name)), true
	}
}

func TestHeaders(t *testing.T) {
	requests := make(chan *nethttp.Request, 1)
	bodies := make(chan string, 1)
	address := serve(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			r, err := nethttp.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			requests <- r
			bodies <- string(body)
			if _, err := io.WriteString(conn, okJSON(`{"id":"a"}`)); err != nil {
				return
			}
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address + "/shop/"}})
	get := func(ctx context.Context) error {
		_, err := http.GetJSON[product](ctx, client, "/products/p-1?w=2")
		return err
	}
	post := func(ctx context.Context) error {
		_, err := http.PostForm[product](ctx, client, "/introspect", url.Values{"token": {"a b"}})
		return err
	}
	timed, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	called, call := withCall(timed)
	odd := report.WithCall(t.Context(), report.New("a\r\nX-Evil: 1", report.NewTrace()).Begin("x"))
	common := []string{"Accept", "Traceparent", "User-Agent"}
	cases := []struct {
		name, uri, body string
		ctx             context.Context
		do              func(context.Context) error
		more            []string
	}{
		{"bare", "/shop/products/p-1?w=2", "", t.Context(), get, nil},
		{"with a deadline", "/shop/products/p-1?w=2", "", timed, get, []string{"X-Request-Timeout-Ms"}},
		{"of a call", "/shop/products/p-1?w=2", "", called, get, []string{"X-Request-Timeout-Ms", "X-Request-Id"}},
		{"a request id that is none", "/shop/products/p-1?w=2", "", odd, get, nil},
		{"a form", "/shop/introspect", "token=a+b", t.Context(), post, []string{"Content-Type", "Content-Length"}},
	}
	parents := map[string]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.do(c.ctx); err != nil {
				t.Fatal(err)
			}
			r, body := <-requests, <-bodies
			if r.Host != address || r.RequestURI != c.uri || body != c.body {
				t.Errorf("asked %s %s with %q", r.Host, r.RequestURI, body)
			}
			var names []string
			for name := range r.Header {
				names = append(names, name)
			}
			want := slices.Concat(common, c.more)
			slices.Sort(names)
			slices.Sort(want)
			if !slices.Equal(names, want) {
				t.Errorf("headers %v, want %v", names, want)
			}
			checkHeaders(t, r.Header, call.Request())
			parents[r.Header.Get("Traceparent")] = true
		})
	}
	if len(parents) != len(cases) {
		t.Errorf("%d parent ids in %d calls", len(parents), len(cases))
	}
}

// checkHeaders checks what is there.
func checkHeaders(t *testing.T, h nethttp.Header, request *report.Report) {
	t.Helper()
	for name, form := range map[string]string{
		"Accept":               "^application/json$",
		"User-Agent":           "^facet$",
		"Traceparent":          "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]$",
		"X-Request-Id":         "^(req-7)?$",
		"X-Request-Timeout-Ms": "^(5[0-9]{4}|60000)?$",
		"Content-Type":         "^(application/x-www-form-urlencoded)?$",
	} {
		if !regexp.MustCompile(form).MatchString(h.Get(name)) {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
	if h.Get("X-Request-Id") != "" && !strings.Contains(h.Get("Traceparent"), request.Trace.String()) {
		t.Errorf("traceparent %s is not of trace %s", h.Get("Traceparent"), request.Trace)
	}
}

func TestTimeLeftIsAtLeastOne(t *testing.T) {
	seen := make(chan string, 1)
	address := replies(t, func(_ int, r *nethttp.Request) (string, bool) {
		seen <- r.Header.Get("X-Request-Timeout-Ms")
		return okJSON(`{"id":"a"}`), true
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	soon(t, "a call that began with under 2 ms left was sent", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 1900*time.Microsecond)
		defer cancel()
		_, err := http.GetJSON[product](ctx, client, "/p")
		select {
		case left := <-seen:
			if left != "1" {
				t.Errorf("told the backend %q", left)
			}
			return true
		default:
			if err == nil {
				t.Error("an answer without a request")
			}
			return false
		}
	})
}

func TestCallIsRecorded(t *testing.T) {
	address := replies(t, func(n int, _ *nethttp.Request) (string, bool) {
		if n == 1 {
			return okJSON(`{"id":"a"}`, "Cache-Control: max-age=60", "Age: 10"), true
		}
		return okJSON(`{"id":"abc"}`), true
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	ctx, call := withCall(t.Context())
	for n, want := range []report.Call{
		{Attempts: 1, Bytes: 10, Caching: report.Caching{MaxAge: 50 * time.Second}},
		{Attempts: 2, Bytes: 12, Caching: report.Caching{MaxAge: report.Unlimited}},
	} {
		if _, err := http.GetJSON[product](ctx, client, "/p"); err != nil {
			t.Fatal(err)
		}
		if call.Attempts != want.Attempts || call.Bytes != want.Bytes || call.Caching != want.Caching {
			t.Errorf("call %d: got %d attempts, %d bytes, %+v", n, call.Attempts, call.Bytes, call.Caching)
		}
	}
}

func TestRoundRobin(t *testing.T) {
	var asked [3]atomic.Int64
	var bases []string
	for i := range asked {
		bases = append(bases, "http://"+replies(t, func(int, *nethttp.Request) (string, bool) {
			asked[i].Add(1)
			return okJSON(`{"id":"a"}`), true
		}))
	}
	client := newClient(t, http.Options{Instances: bases})
	for range 300 {
		if _, err := http.GetJSON[product](t.Context(), client, "/p"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range asked {
		if n := asked[i].Load(); n != 100 {
			t.Errorf("instance %d was asked %d times of 300", i, n)
		}
	}
}

// 2,000 calls at once, many of them cancelled at a random moment: whatever is
// answered belongs to its own request, and nothing is left behind.
// TestAttemptsOfACommandGoToDifferentInstances, and there are no more of them than instances.
func TestAttemptsOfACommandGoToDifferentInstances(t *testing.T) {
	const instances = 3
	bases := make([]string, instances)
	for i := range bases {
		bases[i] = "http://" + always(t, okJSON(fmt.Sprintf(`{"id":"%d"}`, i)))
	}
	client := newClient(t, http.Options{Instances: bases})
	for range 20 {
		call := report.New("r", report.Trace{}).Begin("test.spread")
		call.Spread = &report.Spread{}
		seen := map[string]bool{}
		for range instances {
			p, err := http.GetJSON[product](report.WithCall(t.Context(), call), client, "/products/p-1")
			if err != nil || seen[p.ID] {
				t.Fatalf("%q a second time, or %v", p.ID, err)
			}
			seen[p.ID] = true
		}
		_, err := http.GetJSON[product](report.WithCall(t.Context(), call), client, "/products/p-1")
		if !errors.Is(err, report.ErrNoOther) || fault.CodeOf(err) != fault.Unavailable || call.Attempts < instances {
			t.Fatalf("%v after %d attempts", err, call.Attempts)
		}
	}
}

func TestAnswersBelongToTheirRequests(t *testing.T) {
	address := replies(t, answerWithPath(500))
	client := newClient(t, http.Options{Instances: []string{"http://" + address}, MaxConns: 100})
	var callers sync.WaitGroup
	var answered, ended, refused atomic.Int64
	for i := range 2000 {
		callers.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				timer := time.AfterFunc(time.Duration(rand.IntN(30000))*time.Microsecond, cancel)
				defer timer.Stop()
			}
			target := fmt.Sprintf("/p/%d", i)
			got, err := http.GetJSON[product](ctx, client, target)
			switch {
			case err == nil && got.ID == target:
				answered.Add(1)
			case errors.Is(err, context.Canceled) && ctx.Err() != nil:
				ended.Add(1)
			case fault.CodeOf(err) == fault.Unavailable && strings.Contains(err.Error(), "all connections are in use"):
				refused.Add(1)
			default:
				t.Errorf("%s: got %q, %v", target, got.ID, err)
			}
		})
	}
	callers.Wait()
	t.Logf("%d answered, %d ended, %d refused", answered.Load(), ended.Load(), refused.Load())
	if answered.Load() == 0 {
		t.Error("no call was answered")
	}
	if got, err := http.GetJSON[product](t.Context(), client, "/last"); err != nil || got.ID != "/last" {
		t.Errorf("afterwards: %q, %v", got.ID, err)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	client := newClient(t, http.Options{Instances: []string{"http://" + listener.Addr().String()}})
	ctx, call := withCall(t.Context())
	_, err = http.GetJSON[product](ctx, client, "/p")
	if fault.CodeOf(err) != fault.Unavailable || fault.ReasonOf(err) != fault.ReasonError || call.Attempts != 0 {
		t.Errorf("got %v after %d attempts", err, call.Attempts)
	}
	var f *fault.Error
	if !errors.As(err, &f) || strings.Contains(f.Detail, listener.Addr().String()) {
		t.Errorf("the client would be told an address: %v", f)
	}
}

func TestPrepare(t *testing.T) {
	if err := http.Prepare[reviews](); err != nil {
		t.Error(err)
	}
}

// TestElementsOfAListAreApart: one element of a large list, kept for long, must
// not keep the list.
func TestElementsOfAListAreApart(t *testing.T) {
	const elements, size = 64, 8 << 10
	list := `[` + strings.Repeat(`{"id":"`+strings.Repeat("x", size)+`"},`, elements) + `{"id":"last"}]`
	address := serve(t, func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		if _, err := nethttp.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, okJSON(list))
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	const lists = 20
	kept := make([]string, lists)
	before := heap()
	for i := range kept {
		got, err := http.GetList(t.Context(), client, "/p", []product{})
		if err != nil {
			t.Fatal(err)
		}
		kept[i] = got[len(got)-1].ID
	}
	if grown := heap() - before; grown > lists*elements*size/4 {
		t.Errorf("%d elements of 4 bytes keep %d bytes", len(kept), grown)
	}
	runtime.KeepAlive(kept)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestInstancesThatAreFoundLater: without any a call fails at once, and says so.
func TestInstancesThatAreFoundLater(t *testing.T) {
	address := always(t, okJSON(`{"id":"a"}`))
	client := newClient(t, http.Options{})
	_, err := http.GetJSON[product](t.Context(), client, "/p")
	if fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, balance.ErrNoInstance) {
		t.Errorf("without an instance: %v", err)
	}
	if err := client.Update([]discovery.Instance{{Address: address}}); err != nil {
		t.Fatal(err)
	}
	if got, err := http.GetJSON[product](t.Context(), client, "/p"); err != nil || got.ID != "a" {
		t.Errorf("with one: %v, %v", got, err)
	}
}

// TestHurryEjectsNobody: an instance is blamed for no answer if it had time for one.
func TestHurryEjectsNobody(t *testing.T) {
	address := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }) // it never answers
	o := balance.DefaultOptions()
	o.Outlier.Consecutive, o.Outlier.MaxPercent, o.PanicPercent = 3, 100, 0
	client := newClient(t, http.Options{Instances: []string{"http://" + address}, Balance: o})
	ask := func(times int, within time.Duration) balance.State {
		for range times {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			if _, err := http.GetJSON[product](ctx, client, "/p"); err == nil {
				t.Fatal("it answers")
			}
			cancel()
		}
		return client.Status()[0].State
	}
	if state := ask(10, 5*time.Millisecond); state != balance.In {
		t.Errorf("after clients in a hurry it is %s", state)
	}
	if state := ask(3, 60*time.Millisecond); state != balance.Out {
		t.Errorf("after calls that had their time it is %s", state)
	}
}

// TestAKeptConnectionThatHangsIsBlamed, as a new one is: it was not found closed.
func TestAKeptConnectionThatHangsIsBlamed(t *testing.T) {
	address := serve(t, func(conn net.Conn) {
		if _, err := nethttp.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, okJSON(`{"id":"a"}`))
			_, _ = io.Copy(io.Discard, conn) // and it never answers again
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	if _, err := http.GetJSON[product](t.Context(), client, "/p"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := http.GetJSON[product](ctx, client, "/p"); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("got %v", err)
	}
	if faults := client.Status()[0].Faults; faults != 1 {
		t.Errorf("it has %d faults", faults)
	}
}
