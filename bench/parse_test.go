package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 2 3 4 5 6 7 8 9 10 250 33 0 0 20 0"
	cases := []struct {
		name, text string
		want       time.Duration
		faulty     bool
	}{
		{"plain", "42 (facet)" + rest, 2830 * time.Millisecond, false},
		{"a name to trip over", "42 (a) (b c) 7)" + rest, 2830 * time.Millisecond, false},
		{"cut short", "42 (facet) S 1 2 3", 0, true},
		{"no name", rest, 0, true},
		{"empty", "", 0, true},
		{"not a number", "42 (facet)" + strings.Replace(rest, "250", "x", 1), 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat([]byte(c.text))
			if got != c.want || (err != nil) != c.faulty {
				t.Errorf("got %v, %v; want %v, fault %v", got, err, c.want, c.faulty)
			}
		})
	}
}

func TestAccountingOfThisProcess(t *testing.T) {
	t.Parallel()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for after := before; after < before+10*tick; {
		if time.Now().After(deadline) {
			t.Fatalf("10 s of work are accounted as %v", after-before)
		}
		if after, err = cpuTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if peak, err := peakMemory(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("peak memory %d, %v", peak, err)
	}
}

func TestParsePeak(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text   string
		want   int64
		faulty bool
	}{
		{"Name:\tfacet\nVmHWM:\t   20480 kB\nVmRSS:\t 100 kB\n", 20 << 20, false},
		{"VmRSS:\t 100 kB\n", 0, true},
		{"VmHWM:\t many kB\n", 0, true},
	}
	for _, c := range cases {
		got, err := parsePeak(c.text)
		if got != c.want || (err != nil) != c.faulty {
			t.Errorf("%q: got %d, %v; want %d, fault %v", c.text, got, err, c.want, c.faulty)
		}
	}
}

func TestParseLoad(t *testing.T) {
	t.Parallel()
	const head = "Running 8s test @ http://127.0.0.1:1\n  1 threads and 32 connections\n"
	cases := []struct {
		name, text, fault string
	}{
		{"whole", head + "\nload " + `{"requests":100,"micros":2000000,"bytes":5,"bad_status":0,"p50":900,"p99":4000}` + "\n", ""},
		{"script failed", head + "load.lua:3: attempt to call nil\n", "did not run its script"},
		{"not JSON", head + "\nload {requests}\n", "invalid character"},
		{"no answer", head + "\nload {\"requests\":0,\"micros\":2000000}\n", "nothing was answered"},
		{"errors", head + "\nload {\"requests\":100,\"micros\":2000000,\"bad_status\":3}\n", "3 of 100 answers"},
		{"broken", head + "\nload {\"requests\":100,\"micros\":2000000,\"bad_socket\":2}\n", "2 never came"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, err := parseLoad(c.text)
			if c.fault == "" && (err != nil || l.Requests != 100 || l.Micros != 2_000_000 || l.P50 != 900 || l.P99 != 4000) {
				t.Errorf("got %+v, %v", l, err)
			}
			if c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("got %v, want a fault with %q", err, c.fault)
			}
		})
	}
}

func TestParseStats(t *testing.T) {
	t.Parallel()
	const seven = `"catalog":{"requests":1},"cart":{"requests":2},"orders":{"requests":3},"reviews":{"requests":4},
		"inventory":{"requests":5},"shipping":{"requests":6},"recommendations":{"requests":7}`
	cases := []struct {
		text   string
		want   int64
		faulty bool
	}{
		{`{` + seven + `,"auth":{"requests":100}}`, 28, false},
		{`{"catalog":{"requests":1}}`, 0, true},
		{`{` + seven, 0, true},
	}
	for _, c := range cases {
		got, err := parseStats([]byte(c.text), workloads()["productdetails"].services)
		if got != c.want || (err != nil) != c.faulty {
			t.Errorf("%s: got %d, %v; want %d, fault %v", c.text, got, err, c.want, c.faulty)
		}
	}
}

func TestCommandsFault(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, fault string }{
		{"all well", `[{"name":"catalog.product","outcomes":{"success":9,"canceled":2,"timeout":0},"refused_events":0}]`, ""},
		{"refused", `[{"name":"a","outcomes":{"success":9},"refused_events":1}]`, "refused 1 events"},
		{"degraded", `[{"name":"a","outcomes":{"success":9,"short_circuited":4}}]`, "4 calls of a ended as short_circuited"},
		{"remembered", `[{"name":"a","outcomes":{"success":9},"rungs":{"live":9,"cached":4}}]`, "4 answers of a were remembered"},
		{"cut short", `[{"name":"a","outcomes":{"success":9,"canceled":3},"rungs":{"live":9,"stale":3}}]`, ""},
		{"stood in", `[{"name":"a","outcomes":{"success":9,"canceled":1},"rungs":{"stale":2,"default":1}}]`, "3 stand-ins"},
		{"idle", `[{"name":"a","outcomes":{"success":0}}]`, "nothing was measured"},
		{"none", `[]`, "nothing was measured"},
		{"garbage", `{`, "unexpected"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := commandsFault([]byte(c.text))
			if (c.fault == "" && err != nil) || (c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault))) {
				t.Errorf("got %v, want %q", err, c.fault)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	cases := []struct{ a, b, want string }{
		{`{"x":1,"y":[true,null,"z"]}`, `{ "y":[true,null,"z"], "x":1 }`, ""},
		{`{"x":1}`, `{"x":2}`, "page.x is 1 on one side and 2 on the other"},
		{`{"x":1}`, `{}`, "page.x is on one side only"},
		{`{}`, `{"x":null}`, "page.x is on one side only"},
		{`{"x":[{"y":1}]}`, `{"x":[{"y":"1"}]}`, "page.x[0].y is 1 on one side and 1 on the other"},
		{`{"x":[1,2]}`, `{"x":[1]}`, "page.x is [1 2] on one side and [1] on the other"},
		{`{"x":[1,2]}`, `{"x":[1,3]}`, "page.x[1] is 2 on one side and 3 on the other"},
		{`{"x":9007199254740992}`, `{"x":9007199254740993}`, "page.x is 9007199254740992 on one side and 9007199254740993 on the other"},
		{`{`, `{}`, "page: unexpected EOF"},
	}
	for _, c := range cases {
		if got := difference([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
