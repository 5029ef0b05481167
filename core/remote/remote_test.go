package remote_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/remote"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/devices"
)

func TestAPageComesAsItIs(t *testing.T) {
	t.Parallel()
	body := `{"title":"<é> ` + strings.Repeat("x", 100_000) + `"}`
	r := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("Facet-Parts", "reviews=stale;age=95;reason=timeout")
		w.Header().Add("Facet-Parts", "orders=missing;reason=open")
		w.Header().Set("Set-Cookie", "a=b")
		_, _ = io.WriteString(w, body)
	})
	a, record, err := ask(t, r, adapter.Request{RawQuery: "id=a"}, time.Second)
	if err != nil || string(a.Body) != body || a.ContentType != "application/json; charset=utf-8" {
		t.Fatalf("%v %q: %d bytes", err, a.ContentType, len(a.Body))
	}
	if got := record.PartsHeader(); got != "reviews=stale;age=95;reason=timeout, orders=missing;reason=open" {
		t.Errorf("its parts are %s", got)
	}
	if missing := record.Parts[1]; fault.ReasonOf(missing.Err) != fault.ReasonOpen {
		t.Errorf("the missing part has the error %v", missing.Err)
	}
	calls := record.Calls()
	if len(calls) != 1 || calls[0].Command != "remote.phone_v9" || calls[0].Bytes != len(body) || calls[0].Attempts != 1 {
		t.Errorf("the calls are %+v", calls[0])
	}
}

func TestPartsThatCannotBeReadSayNothing(t *testing.T) {
	t.Parallel()
	r := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Facet-Parts", "reviews=rotten, x")
		_, _ = io.WriteString(w, "{}")
	})
	a, record, err := ask(t, r, adapter.Request{}, time.Second)
	if err != nil || string(a.Body) != "{}" || len(record.Parts) != 0 {
		t.Errorf("%s %v with %v", a.Body, err, record.Parts)
	}
}

// TestWhatIsSent is identity, device, deadline and query, and nothing else.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got *http.Request
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = q
		reply(http.StatusOK, jsonType, "{}")(w, q)
	})
	for _, c := range []struct {
		query, user string
		uri         string
		budget      time.Duration
	}{
		{"id=a&b=%20c", "u-7", "/item?id=a&b=%20c", 700 * time.Millisecond},
		{"", "", "/item", 300 * time.Millisecond},
		{"id=a#b\xe9\"", "u-8", "/item?id=a%23b%E9\"", time.Minute}, // what no request line can hold
	} {
		_, record, err := ask(t, r, adapter.Request{RawQuery: c.query, User: c.user}, c.budget)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if got.Method != http.MethodGet || got.RequestURI != c.uri {
			t.Errorf("%s %s, want %s", got.Method, got.RequestURI, c.uri)
		}
		users := got.Header["X-User-Id"]
		if got.Header.Get("X-Device-Type") != "phone" || got.Header.Get("X-User-Id") != c.user || (len(users) > 0) != (c.user != "") {
			t.Errorf("%q: device %q, user %q", c.uri, got.Header["X-Device-Type"], users)
		}
		if got.Header.Get("X-Request-Id") != "req-1" || !strings.HasPrefix(got.Header.Get("traceparent"), "00-"+record.Trace.String()) {
			t.Errorf("request %q, trace %q of %v", got.Header.Get("X-Request-Id"), got.Header.Get("traceparent"), record.Trace)
		}
		left, err := strconv.Atoi(got.Header.Get("X-Request-Timeout-Ms"))
		if most := min(c.budget, 2*time.Second); err != nil || time.Duration(left)*time.Millisecond > most || left < 1 {
			t.Errorf("%d ms are left of %v, %v", left, most, err)
		}
		if len(got.Header) > 7 { // those above, Accept and User-Agent
			t.Errorf("there is more in its header: %v", got.Header)
		}
		mu.Unlock()
	}
}

const problemType = "application/problem+json"

const noSuch = `,"reason":"not_found"`

func problemText(code, more string) string { return fmt.Sprintf(`{"code":%q%s}`, code, more) }

// TestRefusals: who is told what a remote refuses, and who is asked instead.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		kind, body string
		user       string
		code       fault.Code // of the error
		field      string
		detail     string
	}{
		"a field":            {400, problemType, problemText("invalid", `,"field":"id","detail":"is bad"`), "", fault.Invalid, "id", "is bad"},
		"no such product":    {404, problemType + ";a=b", problemText("not_found", noSuch), "u-7", fault.NotFound, "", ""},
		"a user is needed":   {401, problemType, problemText("unauthenticated", `,"reason":"anonymous"`), "", fault.Unauthenticated, "", ""},
		"forbidden":          {403, problemType, problemText("forbidden", `,"detail":"not yours"`), "u-7", fault.Forbidden, "", "not yours"},
		"a long detail":      {400, problemType, problemText("invalid", `,"detail":"`+strings.Repeat("x", 501)+`"`), "", fault.Invalid, "", ""},
		"no such page":       {404, problemType, problemText("not_found", `,"detail":"no such page"`), "", fault.BadAnswer, "", ""},
		"no problem":         {404, "text/plain", "404 page not found", "", fault.BadAnswer, "", ""},
		"no such problem":    {400, problemType, "{", "", fault.BadAnswer, "", ""},
		"no body":            {400, problemType, "", "", fault.BadAnswer, "", ""},
		"another status":     {400, problemType, problemText("not_found", noSuch), "", fault.BadAnswer, "", ""},
		"an unknown code":    {418, problemType, problemText("teapot", ""), "", fault.BadAnswer, "", ""},
		"its own fault":      {400, problemType, problemText("internal", ""), "", fault.BadAnswer, "", ""},
		"our device header":  {400, problemType, problemText("invalid", `,"field":"X-Device-Type"`), "", fault.BadAnswer, "", ""},
		"our deadline":       {400, problemType, problemText("invalid", `,"field":"x-request-timeout-ms"`), "", fault.BadAnswer, "", ""},
		"a user told":        {401, problemType, problemText("unauthenticated", ""), "u-7", fault.BadAnswer, "", ""},
		"a method":           {405, problemType, problemText("method_not_allowed", ""), "", fault.BadAnswer, "", ""},
		"a header too large": {431, problemType, problemText("header_too_large", ""), "", fault.BadAnswer, "", ""},
		"too many":           {429, problemType, problemText("limited", ""), "", fault.Unavailable, "", ""},
		"late":               {408, "text/plain", "", "", fault.Unavailable, "", ""},
		"unavailable":        {503, problemType, problemText("unavailable", ""), "", fault.Unavailable, "", ""},
		"a defect":           {500, problemType, problemText("internal", `,"reason":"panic"`), "", fault.Unavailable, "", ""},
		"elsewhere again":    {302, jsonType, "{}", "", fault.BadAnswer, "", ""},
		"not modified":       {304, jsonType, "", "", fault.BadAnswer, "", ""},
		"nothing":            {204, jsonType, "", "", fault.BadAnswer, "", ""},
		"an empty page":      {200, jsonType, "", "", fault.BadAnswer, "", ""},
		"a page of HTML":     {200, "text/html", "<p>Sign in</p>", "", fault.BadAnswer, "", ""},
		"half a page":        {200, jsonType, `{"title":`, "", fault.BadAnswer, "", ""},
		"no type":            {200, "", `{}`, "", fault.BadAnswer, "", ""},
		"in UTF-16":          {200, jsonType + "; charset=utf-16", `{}`, "", fault.BadAnswer, "", ""},
	} {
		r := served(t, reply(c.status, c.kind, c.body))
		a, record, err := ask(t, r, adapter.Request{User: c.user, RawQuery: "productid=x"}, time.Second)
		if fault.CodeOf(err) != c.code || len(a.Body) > 0 {
			t.Errorf("%s: %v with %q, want %v", name, err, a.Body, c.code)
			continue
		}
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != c.field || f.Detail != c.detail {
			t.Errorf("%s: it tells %+v", name, f)
		}
		// Only what is wrong with the remote counts against it.
		wants := report.Failure
		if c.status >= 400 && c.status < 500 && c.status != 408 && c.status != 429 {
			wants = report.CallerFault
		}
		if got := record.Calls()[0].Outcome; got != wants {
			t.Errorf("%s: the outcome is %v, want %v", name, got, wants)
		}
	}
}

// raw is a server that says what it likes, and no HTTP. It returns its URL.
func raw(t *testing.T, say func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close() //nolint:errcheck // it said what it had to
				_, _ = c.Read(make([]byte, 4096))
				say(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return "http://" + l.Addr().String()
}

// TestHostileRemotes cost at most their timeout, and no memory beyond a page's.
func TestHostileRemotes(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	var sent atomic.Int64
	ended := func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) } // until the gateway hangs up
	pour := func(c net.Conn, first, piece string, most int64) {
		_, err := io.WriteString(c, first)
		for n := int64(0); err == nil && n < most; n += int64(len(piece)) {
			_, err = io.WriteString(c, piece)
			sent.Add(int64(len(piece)))
		}
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, bytes.Repeat([]byte("x"), 64<<10))
	for name, c := range map[string]struct {
		say    func(net.Conn)
		reason fault.Reason
	}{
		"hangs":             {ended, fault.ReasonTimeout},
		"hangs in a header": {func(c net.Conn) { _, _ = io.WriteString(c, head); ended(c) }, fault.ReasonTimeout},
		"hangs in a page":   {func(c net.Conn) { _, _ = io.WriteString(c, head+"Content-Length: 9\r\n\r\n{"); ended(c) }, fault.ReasonTimeout},
		"hangs in a problem": {func(c net.Conn) {
			_, _ = io.WriteString(c, strings.Replace(head, "200", "404", 1)+"Content-Length: 9\r\n\r\n{")
			ended(c)
		}, fault.ReasonTimeout},
		"closes":      {func(net.Conn) {}, fault.ReasonError},
		"is no HTTP":  {func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH\r\n\r\n") }, fault.ReasonInvalid},
		"cut short":   {func(c net.Conn) { _, _ = io.WriteString(c, head+"Content-Length: 9\r\n\r\n{}") }, fault.ReasonInvalid},
		"says 1 GiB":  {func(c net.Conn) { pour(c, head+"Content-Length: 1073741824\r\n\r\n", chunk, 1<<30) }, fault.ReasonInvalid},
		"sends 1 GiB": {func(c net.Conn) { pour(c, head+"Transfer-Encoding: chunked\r\n\r\n", chunk, 1<<30) }, fault.ReasonInvalid},
		"a problem of 1 GiB": {func(c net.Conn) {
			pour(c, strings.Replace(head, "200", "404", 1)+"Transfer-Encoding: chunked\r\n\r\n", chunk, 1<<30)
		}, fault.ReasonInvalid},
		"a header of 1 GiB": {func(c net.Conn) { pour(c, head, strings.Repeat("X: y\r\n", 1000), 1<<30) }, fault.ReasonInvalid},
	} {
		url := raw(t, c.say)
		r := served(t, nil, func(o *remote.Options) { o.Instances, o.Policy.Timeout = []string{url}, 300*time.Millisecond })
		began := time.Now()
		_, _, err := ask(t, r, adapter.Request{}, 10*time.Second)
		if got := fault.ReasonOf(err); got != c.reason || fault.CodeOf(err).Status() < 500 {
			t.Errorf("%s: %v, want %v", name, err, c.reason)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	if all := sent.Load(); all > 64<<20 { // what the kernel's buffers took
		t.Errorf("%d bytes were taken", all)
	}
}

// TestADeadRemoteIsLeftAlone opens the circuit, and a healed one has it closed again;
// what clients ask wrongly opens none.
func TestADeadRemoteIsLeftAlone(t *testing.T) {
	t.Parallel()
	var asked, broken atomic.Int64
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		switch broken.Load() {
		case 0:
			reply(http.StatusOK, jsonType, "{}")(w, q)
		case 1:
			reply(http.StatusInternalServerError, jsonType, "{}")(w, q)
		default:
			reply(http.StatusNotFound, "text/plain", "no such page")(w, q)
		}
	}, func(o *remote.Options) {
		o.Policy.Circuit = command.Circuit{Volume: 20, ErrorPercent: 50, Consecutive: 5, Sleep: 50 * time.Millisecond}
	})
	broken.Store(2)
	for range 30 {
		if _, _, err := ask(t, r, adapter.Request{}, time.Second); fault.CodeOf(err) != fault.BadAnswer {
			t.Fatal(err)
		}
	}
	if s := r.Control().Stats(); s.Circuit != "closed" || asked.Load() != 30 {
		t.Errorf("refusals opened the circuit: %+v", s)
	}
	broken.Store(1)
	var err error
	for range 6 {
		_, _, err = ask(t, r, adapter.Request{}, time.Second)
	}
	if !errors.Is(err, command.ErrOpen) && r.Control().Stats().Opened == 0 {
		t.Errorf("after faults in a row: %v %+v", err, r.Control().Stats())
	}
	broken.Store(0)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, _, err := ask(t, r, adapter.Request{}, time.Second); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("it stays open: %v", err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	good := remote.Options{
		Class: devices.Phone, Name: "v9", Paths: []string{"/item"}, Instances: []string{"http://127.0.0.1:1"}, Policy: command.DefaultPolicy(),
	}
	for text, change := range map[string]func(*remote.Options){
		"not of the form v1": func(o *remote.Options) { o.Name = "nine" },
		"instances":          func(o *remote.Options) { o.Instances = nil },
		"scheme must be":     func(o *remote.Options) { o.Instances = []string{"https://127.0.0.1:1"} },
		"timeout":            func(o *remote.Options) { o.Policy.Timeout = 0 },
		"form /name":         func(o *remote.Options) { o.Paths = []string{"item"} },
	} {
		o := good
		change(&o)
		if _, err := remote.New(o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// BenchmarkPage is what a page costs that comes from elsewhere, its server included.
func BenchmarkPage(b *testing.B) {
	body := `{"title":"` + strings.Repeat("x", 4000) + `"}`
	r := served(b, reply(http.StatusOK, jsonType, body))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ask(b, r, adapter.Request{RawQuery: "id=a", User: "u-7"}, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}
