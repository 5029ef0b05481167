package discovery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
)

func TestStatic(t *testing.T) {
	t.Parallel()
	list := []discovery.Instance{
		{Address: "b:2", Zone: "z-1"}, {Address: "[fd00::7]:80"}, {Address: "10.0.0.7:65535", Path: "/v1"}, {Address: "b:2", Path: "/v2"},
	}
	r, err := discovery.Static(list)
	if err != nil {
		t.Fatal(err)
	}
	list[0].Address = "changed:1"
	w := watch(t, r)
	soon(t, time.Second, "the list, in its order", func() bool {
		return w.last() == "b:2@z-1 [fd00::7]:80 10.0.0.7:65535/v1 b:2/v2"
	})
	w.stop()
	if lists, failures := w.counts(); lists != 1 || failures != 0 {
		t.Errorf("%d lists and %d failures were told", lists, failures)
	}
}

func TestStaticRefuses(t *testing.T) {
	t.Parallel()
	many := make([]discovery.Instance, discovery.MaxInstances+1)
	for n := range many {
		many[n].Address = fmt.Sprintf("h%d:80", n)
	}
	one := func(address string) []discovery.Instance { return []discovery.Instance{{Address: address}} }
	for field, lists := range map[string][][]discovery.Instance{
		"instances":    {nil, many},
		"instances[1]": {{{Address: "a:1"}, {Address: "a:1", Zone: "z"}}},
		"instances[0].address": {
			one(""), one("a"), one("a:"), one(":80"), one("a:0"), one("a:65536"), one("a:080"), one("a:+1"), one("a:http"), one("a b:1"),
			one("fd00::7:80"), one("[fd00::7]"), one("[a]:80"), one("10.0.0.256:80"), one("0.0.0.0:80"), one("[::]:80"), one("224.0.0.1:80"),
			one("-a:80"), one("a..b:80"), one("a.:80"), one("u@a:80"), one("http://a:80"), one(strings.Repeat("a", 64) + ":80"),
			one("[fe80::1%lo]:80"),
		},
		"instances[0].path": {
			{{Address: "a:1", Path: "v1"}}, {{Address: "a:1", Path: "/"}}, {{Address: "a:1", Path: "/v1/"}}, {{Address: "a:1", Path: "/a/../b"}},
			{{Address: "a:1", Path: "/a?b"}}, {{Address: "a:1", Path: "/%2e"}}, {{Address: "a:1", Path: "/" + strings.Repeat("a", 256)}},
		},
		"instances[0].zone": {{{Address: "a:1", Zone: "a b"}}, {{Address: "a:1", Zone: strings.Repeat("z", 64)}}},
	} {
		for _, list := range lists {
			_, err := discovery.Static(list)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != field {
				t.Errorf("%.80v: got %v, want a fault of %s", list, err, field)
			}
		}
	}
}
