package balance_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
)

func TestOptions(t *testing.T) {
	type options = balance.Options
	cases := map[string][]func(*options){
		"policy":     {func(o *options) { o.Policy = "" }, func(o *options) { o.Policy = "random" }},
		"zone":       {func(o *options) { o.Zone = strings.Repeat("a", 65) }},
		"slow_start": {func(o *options) { o.SlowStart = -1 }, func(o *options) { o.SlowStart = 11 * time.Minute }},
		"outlier.consecutive": {
			func(o *options) { o.Outlier.Consecutive = -1 }, func(o *options) { o.Outlier.Consecutive = 1001 },
		},
		"outlier.success_rate": {
			func(o *options) { o.Outlier.SuccessRate = -1 }, func(o *options) { o.Outlier.SuccessRate = 101 },
		},
		"outlier.interval": {
			func(o *options) { o.Outlier.Interval = 999 * time.Millisecond }, func(o *options) { o.Outlier.Interval = time.Hour },
		},
		"outlier.ejection": {
			func(o *options) { o.Outlier.Ejection = 0 }, func(o *options) { o.Outlier.Ejection = 6 * time.Minute },
		},
		"outlier.max_percent": {
			func(o *options) { o.Outlier.MaxPercent = -1 }, func(o *options) { o.Outlier.MaxPercent = 101 },
		},
		"panic_percent":   {func(o *options) { o.PanicPercent = -1 }, func(o *options) { o.PanicPercent = 101 }},
		"check.interval":  {func(o *options) { o.Check.Interval = 0 }, func(o *options) { o.Check.Interval = time.Hour }},
		"check.timeout":   {func(o *options) { o.Check.Timeout = 0 }, func(o *options) { o.Check.Timeout = 6 * time.Second }},
		"check.healthy":   {func(o *options) { o.Check.Healthy = 0 }, func(o *options) { o.Check.Healthy = 101 }},
		"check.unhealthy": {func(o *options) { o.Check.Unhealthy = 0 }, func(o *options) { o.Check.Unhealthy = 101 }},
	}
	for field, spoils := range cases {
		for _, spoil := range spoils {
			o, check := balance.DefaultOptions(), balance.DefaultCheck()
			o.Check = &check
			if err := o.Validate(); err != nil {
				t.Fatal(err)
			}
			spoil(&o)
			_, err := balance.New(o, func(discovery.Instance) (int, error) { return 0, nil }, func(int) {})
			if out := (*balance.RangeError)(nil); !errors.As(err, &out) || out.Field != field || !strings.Contains(out.Error(), field+": must be ") {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}
