package config

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

const (
	maxInstances = 1000
	maxResolvers = 8 // servers of DNS
)

func zone(v value) (string, bool) {
	text, ok := scalar(v, "eu-west-1a")
	if ok && (len(text) > maxName || !isWord(text) && text != "") {
		v.fail("%q is not a zone; allowed: at most %d letters, digits, - and _", shorten(text), maxName)
		return "", false
	}
	return text, ok
}

// named reads a block of which the code knows every name, into a map that holds
// their defaults.
func named[T any](v value, what string, items map[string]T, decode func(value, *T)) {
	known := slices.Collect(maps.Keys(items))
	v.entries(func(name string, v value) {
		item, ok := items[name]
		if !ok {
			v.unknown(what, name, known)
			return
		}
		decode(v, &item)
		items[name] = item
	})
}

func decodeService(v value, s *Service) {
	to := transportOf(v)
	v.fields(
		set("transport", &s.Transport, transport),
		set("instances", &s.Instances, instances(to)),
		field{"broker", s.Broker.decode},
		field{"live", s.Live.decode},
		field{"resolver", func(v value) { decodeResolver(v, &s.Resolver) }},
		field{"balance", func(v value) { decodeBalance(v, &s.Balance) }},
		set("max_body", &s.MaxBody, within(size, 1, 1<<30)),
		set("max_connections", &s.MaxConnections, within(count, 1, 100_000)),
		field{"retry_budget", func(v value) {
			v.fields(
				set("percent", &s.RetryBudget.Percent, within(count, 0, 100)),
				set("floor", &s.RetryBudget.Floor, within(count, 0, 1000)),
			)
		}},
		field{"commands", func(v value) { named(v, "command", s.Commands, decodePolicy) }},
	)
}

func (s *Service) files() []*string {
	r := &s.Resolver
	return []*string{
		&s.Broker.PasswordFile, &r.Etcd.PasswordFile, &r.Etcd.CAFile, &r.Etcd.CertFile, &r.Etcd.KeyFile,
		&r.Consul.TokenFile, &r.Consul.CAFile, &r.Kubernetes.TokenFile, &r.Kubernetes.CAFile,
	}
}

// requireInstances adds an error for each service that the file gives no
// instances, or something that its transport has no use for. What is wrong with those
// it gives has been said already.
func (c *Config) requireInstances(v value, known Known) {
	if !v.isBlock() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(known.Services)) {
		service, ok := v.find(name)
		if !ok {
			v.missing(name, "a block with instances: [http://HOST:PORT]")
			continue
		}
		_, listed := service.find("instances")
		resolver, found := service.find("resolver")
		switch {
		case listed && found:
			resolver.failKey("is given beside instances; allowed: one of the two")
		case !listed && !found && service.isBlock():
			service.missing("instances", "at least one "+transports[transportOf(service)].scheme+"://HOST:PORT, or a resolver")
		}
		if service.isBlock() {
			decoded := c.Services[name]
			checkTransport(service, &decoded, known.Transports[name])
		}
	}
}

func instances(transport string) reader[[]string] {
	return func(v value) ([]string, bool) {
		list, ok := distinct(instanceURL(transport), maxInstances)(v)
		if ok && len(list) == 0 {
			v.fail("is empty; allowed: at least one %s://HOST:PORT", transports[transport].scheme)
			return nil, false
		}
		return list, ok
	}
}

func decodePolicy(v value, p *command.Policy) {
	t := trial{}
	v.fields(
		try(t, "timeout", &p.Timeout, duration),
		try(t, "attempt_timeout", &p.AttemptTimeout, duration),
		try(t, "max_concurrent", &p.MaxConcurrent, count),
		try(t, "mode", &p.Mode, mode),
		field{"circuit", func(v value) { decodeCircuit(v, t, &p.Circuit) }},
		field{"cache", func(v value) { decodeCache(v, t, &p.Cache) }},
		field{"retry", func(v value) {
			v.fields(
				try(t, "retry.attempts", &p.Retry.Attempts, count),
				try(t, "retry.backoff", &p.Retry.Backoff, duration),
			)
		}},
		try(t, "hedge", &p.Hedge, boolean),
		try(t, "coalesce", &p.Coalesce, boolean),
		try(t, "batch_window", &p.BatchWindow, duration),
	)
	t.settle(v, func() (key, problem string) { return policyProblem(*p) })
}

func decodeCircuit(v value, t trial, c *command.Circuit) {
	v.fields(
		try(t, "circuit.volume", &c.Volume, count),
		try(t, "circuit.error_percent", &c.ErrorPercent, count),
		try(t, "circuit.consecutive", &c.Consecutive, count),
		try(t, "circuit.sleep", &c.Sleep, duration),
	)
}

func decodeCache(v value, t trial, c *command.Cache) {
	v.fields(
		try(t, "cache.fresh", &c.Fresh, duration),
		try(t, "cache.revalidate", &c.Revalidate, duration),
		try(t, "cache.stale", &c.Stale, duration),
		try(t, "cache.negative", &c.Negative, duration),
		try(t, "cache.jitter", &c.Jitter, count),
		try(t, "cache.entries", &c.Entries, count),
		try(t, "cache.bytes", &c.Bytes, byteCount),
	)
}

func mode(v value) (command.Mode, bool) {
	word, ok := oneOf(command.Enforce.String(), command.Observe.String())(v)
	if word == command.Observe.String() {
		return command.Observe, ok
	}
	return command.Enforce, ok
}

func policyProblem(p command.Policy) (key, problem string) {
	err := p.Validate()
	if err == nil {
		return "", ""
	}
	if out := (*command.RangeError)(nil); errors.As(err, &out) {
		return out.Field, "is out of range; allowed: " + out.Allowed
	}
	return "policy", err.Error()
}

func byteCount(v value) (int64, bool) {
	s, ok := size(v)
	return int64(s), ok
}

func decodePage(v value, p *Page) {
	v.fields(set("budget", &p.Budget, within(duration, time.Millisecond, 10*time.Minute)))
}
