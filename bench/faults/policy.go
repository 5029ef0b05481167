package main

import (
	"fmt"
	"strings"
	"time"
)

// What every gateway here has; the defaults otherwise.
const (
	timeout     = 300 * time.Millisecond // of a command
	consecutive = 20                     // faults open a circuit
	limit       = 25                     // of its runs at once: a hundred pages a second would be 30 that wait
	maxBody     = 1 << 20                // bytes of an answer
)

// policy is what rows differ in, the same for each of the seven commands.
type policy struct {
	limit   int           // of a command's runs at once; 0: the limit above
	mode    string        // of a command; "": it enforces
	circuit string        // the section of that name
	sleep   time.Duration // of the circuit
	retry   string        // the section of that name; "": no retries, and one instance
	redis   string        // HOST:PORT of the cache that replicas share; "": there is none
	catalog string        // URL of the catalog, if it is not the shop's
	where   string        // the section that says where the catalog is, if it is not where the shop has it
	fresh   time.Duration // how long answers are taken from a cache; 0: never
	bare    bool          // every default of the commands
	extra   string        // further sections
	cached  bool          // of a contender: three services' answers are remembered
}

// quick is the default but for a circuit that probes after a second, so that a row
// need not wait for the next run.
func quick() policy {
	return policy{circuit: fmt.Sprintf("volume: 20, error_percent: 50, consecutive: %d", consecutive), sleep: time.Second}
}

// configuration returns a gateway's file.
func configuration(s *shop, p policy) string {
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nauth: {mode: header}\n" +
		"log: {level: warn, format: text, requests: false}\nserver: {drain_delay: 0s}\n")
	if p.redis != "" {
		fmt.Fprintf(&b, "cache: {redis: \"redis://%s\"}\n", p.redis)
	}
	b.WriteString(p.extra + "services:\n")
	commands := map[string]string{}
	for _, one := range seven() {
		_, commands[one.name], _ = strings.Cut(one.command, ".")
	}
	for _, name := range allServices() {
		where := fmt.Sprintf("instances: [%s]", p.instances(p.url(s, name)))
		if name == "catalog" && p.where != "" {
			where = p.where
		}
		fmt.Fprintf(&b, "  %s:\n    %s\n", name, where)
		if command := commands[name]; command != "" && !p.bare {
			fmt.Fprintf(&b, "    commands:\n      %s:\n", command)
			p.write(&b, name)
		}
	}
	return b.String()
}

// write writes the policy of a service's command.
func (p policy) write(b *strings.Builder, service string) {
	const indent = "        "
	fmt.Fprintf(b, indent+"max_concurrent: %d\n"+indent+"circuit: {%s, sleep: %v}\n", p.most(), p.circuit, p.sleep)
	if p.mode != "" {
		fmt.Fprintf(b, indent+"mode: %s\n", p.mode)
	}
	if p.retry != "" {
		fmt.Fprintf(b, indent+"retry: {%s}\n", p.retry)
	}
	if p.fresh > 0 && service == "catalog" {
		fmt.Fprintf(b, indent+"cache: {fresh: %v, stale: 10m, jitter: 0}\n", p.fresh) // no life is shorter, and no call is shared
	}
}

func (p policy) most() int {
	if p.limit > 0 {
		return p.limit
	}
	return limit
}

func (p policy) url(s *shop, service string) string {
	if service == "catalog" && p.catalog != "" {
		return p.catalog
	}
	return s.services[service]
}

// instances are one, or the same one under two names: a retry asks another.
func (p policy) instances(url string) string {
	if p.retry == "" {
		return fmt.Sprintf("%q", url)
	}
	return fmt.Sprintf("%q, %q", url, strings.Replace(url, "127.0.0.1", "localhost", 1))
}
