package main

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

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
