package main

import (
	"strings"
	"testing"
)

const listing = `File: facet
Type: cpu
Duration: 8s, Total samples = 10000000us (108.12%)
Showing nodes accounting for 9000000us, 90% of 10000000us total
      flat  flat%   sum%        cum   cum%
         0     0%     0%  4000000us 40.00%  github.com/facet-gateway/facet/core/command.(*Control).execute
   20000us  0.2%   0.2%  3500000us 35.00%  github.com/facet-gateway/facet/core/command.protect
         0     0%   0.2%   100000us  1.00%  github.com/facet-gateway/facet/core/cache.(*Cache[go.shape.string,go.shape.[]int]).Put
         0     0%   0.2%   300000us  3.00%  github.com/facet-gateway/facet/core/cache.(*Cache[go.shape.int,go.shape.string]).Put
         0     0%   0.2%    50000us  0.50%  github.com/facet-gateway/facet/devices.(*Resolver).Resolve (inline)
`

func TestFeatures(t *testing.T) {
	spent, total, err := parseProfile(listing)
	if err != nil || total != 10e6 {
		t.Fatalf("total %v, %v", total, err)
	}
	want := map[string]float64{
		"which device asks": 50e3, "time limit, bulkhead, circuit, verdict": 500e3, "stale copies, kept and looked up": 400e3, "the log line": 0,
	}
	for _, f := range features {
		if micros, ok := want[f.name]; ok && f.of(spent) != micros {
			t.Errorf("%s: %v, want %v", f.name, f.of(spent), micros)
		}
	}
	for _, broken := range []string{"", "Total samples = 0", strings.Replace(listing, "100000us  1.00%", "garbage  1.00%", 1)} {
		if _, _, err := parseProfile(broken); err == nil {
			t.Errorf("accepted: %.40q", broken)
		}
	}
}
