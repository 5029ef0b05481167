package config

import (
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/balance"
)

// Balance says which of a service's instances gets a call, and which are out.
type Balance struct {
	Policy       string // least_loaded or round_robin
	SlowStart    time.Duration
	PanicPercent int
	Outlier      balance.Outlier
	Check        Check
}

// Check is the active health check of each instance.
type Check struct {
	Path      string // asked for by HTTP, after an instance's own; any 2xx is well; "": nobody asks
	GRPC      bool   // asked for by grpc.health.v1.Health/Check, of the whole server
	Interval  time.Duration
	Timeout   time.Duration
	Healthy   int
	Unhealthy int
}

func (c Check) options() *balance.Check {
	return &balance.Check{Interval: c.Interval, Timeout: c.Timeout, Healthy: c.Healthy, Unhealthy: c.Unhealthy}
}

func defaultBalance() Balance {
	o, check := balance.DefaultOptions(), balance.DefaultCheck()
	return Balance{
		Policy: string(o.Policy), SlowStart: o.SlowStart, PanicPercent: o.PanicPercent, Outlier: o.Outlier,
		Check: Check{Interval: check.Interval, Timeout: check.Timeout, Healthy: check.Healthy, Unhealthy: check.Unhealthy},
	}
}

// Options are those of a gateway that runs in a zone, "" if it is not said in which.
func (b Balance) Options(zone string) balance.Options {
	o := balance.Options{
		Policy: balance.Policy(b.Policy), Zone: zone, SlowStart: b.SlowStart, PanicPercent: b.PanicPercent, Outlier: b.Outlier,
	}
	if b.Check.Path != "" || b.Check.GRPC {
		o.Check = b.Check.options()
	}
	return o
}

func decodeBalance(v value, b *Balance) {
	t := trial{}
	v.fields(
		try(t, "policy", &b.Policy, oneOf(string(balance.LeastLoaded), string(balance.RoundRobin))),
		try(t, "slow_start", &b.SlowStart, duration),
		try(t, "panic_percent", &b.PanicPercent, count),
		field{"outlier", func(v value) {
			v.fields(
				try(t, "outlier.consecutive", &b.Outlier.Consecutive, count),
				try(t, "outlier.success_rate", &b.Outlier.SuccessRate, count),
				try(t, "outlier.interval", &b.Outlier.Interval, duration),
				try(t, "outlier.ejection", &b.Outlier.Ejection, duration),
				try(t, "outlier.max_percent", &b.Outlier.MaxPercent, count),
			)
		}},
		field{"check", func(v value) { b.Check.decode(v, t) }},
	)
	t.settle(v, func() (key, problem string) { return balanceProblem(*b) })
}

func (c *Check) decode(v value, t trial) {
	v.fields(
		set("path", &c.Path, urlPath), set("grpc", &c.GRPC, boolean),
		try(t, "check.interval", &c.Interval, duration),
		try(t, "check.timeout", &c.Timeout, duration),
		try(t, "check.healthy", &c.Healthy, count),
		try(t, "check.unhealthy", &c.Unhealthy, count),
	)
}

func balanceProblem(b Balance) (key, problem string) {
	o := b.Options("")
	o.Check = b.Check.options()
	err := o.Validate()
	if err == nil {
		return "", ""
	}
	if out := (*balance.RangeError)(nil); errors.As(err, &out) {
		return out.Field, "is out of range; allowed: " + out.Allowed
	}
	return "policy", err.Error()
}
