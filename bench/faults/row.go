package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one kind of fault, and how it is shown.
type row struct {
	name  string
	about string
	fault string // of the simulator, or what is done to Redis or the gateway
	quick bool   // part of the short form
	first int    // of the seven, the one that is hurt in the first round
	run   func(context.Context, *lab, row) ([]finding, error)
}

// rows are the whole matrix, in the order in which it is run.
func rows() []row {
	all := []row{
		{"healthy", "nothing fails: what a page costs", "", false, 0, healthy},
		{"slow", "one of seven is 20 times slower", "latency=320ms,spread=10ms", true, 0, waits},
		{"hang", "one of seven hangs", "hang", true, 0, waits},
		{"drip", "one of seven drips a byte a second", "drip=1s", true, 0, waits},
		{"reset", "one of seven breaks off in the body", "reset", true, 0, rubbish},
		{"truncated", "one of seven sends half of its JSON", "truncated", true, 0, rubbish},
		{"malformed", "one of seven sends what is not JSON", "garbage", true, 0, rubbish},
		{"deep", "one of seven sends 100,000 lists within each other", "deep", true, 0, rubbish},
		{"huge", "one of seven sends 1 GiB", "huge", true, 0, rubbish},
		{"bomb", "one of seven sends 1 MiB of gzip that holds 1 GiB", "bomb", true, 0, rubbish},
		{"errors30", "one of seven fails 30 % of its calls", "error=0.3", true, 0, staysClosed},
		{"errors60", "one of seven fails 60 % of its calls", "error=0.6", true, 0, opensAndCloses},
		{"down", "all seven are down", "down", true, 0, allDown},
		{"all-hung", "all seven hang", "hang", false, 0, allDown},
		{"calls", "one of seven fails everything, and may be retried", "status=500", true, 0, callsPerPage},
		{"budget", "the same, with a circuit that only observes", "status=500", false, 0, budgetAlone},
		{"redis-killed", "the cache that replicas share is killed", "kill", false, 0, lostRedis},
		{"redis-stopped", "the cache that replicas share hangs", "stop", false, 0, lostRedis},
		{"redis-restarted", "the cache that replicas share is killed, and back a second later", "restart", false, 0, lostRedis},
		{"redis-slow", "the cache that replicas share is 50 ms late", "slow", false, 0, lostRedis},
		{"redis-rubbish", "the cache that replicas share is full of rubbish", "rubbish", false, 0, lostRedis},
		{"shadow", "a candidate makes a tenth of the pages, too", "", false, 0, shadowed},
		{"killed", "the gateway is killed while its rollouts change", "kill", true, 0, killed},
		{"instance-late", "one instance of five is ten times slower", "late", false, 0, oneOfFive},
		{"instance-bad", "one instance of five fails everything", "fail", true, 0, oneOfFive},
		{"registry", "the registry of instances is dead for longer than three times its TTL", "kill", true, 0, deadRegistry},
		{"churn", "half of 40 instances leave, and as many join, every second", "", true, 0, churn},
		{"bindings", "four services over gRPC, Thrift, NATS and AMQP: what a page costs", "", false, 0, bindings},
		{"broker", "the broker of shipping is killed, and back", "restart", true, 0, lostBroker},
		{"flood", "ten times what the backend can do", "", false, 0, flood},
	}
	for i := range all {
		all[i].first = max(0, i-1) // the first row that breaks one begins with the first
	}
	return all
}

func names(all []row) []string {
	var list []string
	for _, r := range all {
		list = append(list, r.name)
	}
	return list
}

// choose returns the rows that are wanted: those named, or all that the form has.
func choose(all []row, o options) ([]row, error) {
	for _, name := range o.only {
		if !slices.Contains(names(all), name) {
			return nil, fmt.Errorf("arguments: there is no row %q; there are %s", name, strings.Join(names(all), ", "))
		}
	}
	wanted := slices.DeleteFunc(all, func(r row) bool {
		return len(o.only) > 0 && !slices.Contains(o.only, r.name) || len(o.only) == 0 && o.short && !r.quick
	})
	return wanted, nil
}

// dose is how much of a load a row gets.
type dose struct {
	rounds  int
	healthy time.Duration // of a healthy run
	faulty  time.Duration // of a faulty run
	rate    float64       // pages a second, of the page that needs all seven
}

// pick returns the dose of a form.
func (o options) pick(full, short dose) dose {
	if o.short {
		return short
	}
	return full
}
