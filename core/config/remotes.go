package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/devices"
)

// Remote is a version of an adapter that lives elsewhere, and the policy of the command
// that its pages are asked for with. The fields are in the ranges that a command's and
// a service's are.
type Remote struct {
	Instances      []string // base URLs without a trailing slash; at least one
	MaxBody        Size     // of a page
	MaxConnections int      // to each instance
	Timeout        time.Duration
	MaxConcurrent  int
	Circuit        command.Circuit
}

// defaultRemoteTimeout leaves control, of the default budget of a page, the default
// time of a command.
const defaultRemoteTimeout = 500 * time.Millisecond

// maxRemotes bounds what each of them keeps for ever: the two goroutines of its circuit.
const maxRemotes = 100

func defaultRemote() Remote {
	p := command.DefaultPolicy()
	return Remote{
		MaxBody: 1 << 20, MaxConnections: 512, Timeout: defaultRemoteTimeout, MaxConcurrent: p.MaxConcurrent, Circuit: p.Circuit,
	}
}

// Policy is that of the command. A page is asked for once: time for a second attempt is
// better spent on control.
func (r *Remote) Policy() command.Policy {
	p := command.DefaultPolicy()
	p.Timeout, p.MaxConcurrent, p.Circuit = r.Timeout, r.MaxConcurrent, r.Circuit
	return p
}

// decodeRemotes reads the versions of known classes that live elsewhere.
func (r *Rollout) decodeRemotes(v value, known map[devices.Class][]string) {
	v.entries(func(name string, v value) {
		switch {
		case !remoteName(v, name, known):
		case len(r.Remotes) == maxRemotes:
			v.failKey("one too many; allowed: at most %d", maxRemotes)
		default:
			remote := defaultRemote()
			remote.decode(v)
			if r.Remotes == nil {
				r.Remotes = make(map[string]Remote)
			}
			r.Remotes[name] = remote
		}
	})
}

var validVersion = regexp.MustCompile(`^v[0-9]{1,4}$`)

// remoteName reports whether a name is that of a version which the build could have,
// and has not.
func remoteName(v value, name string, known map[devices.Class][]string) bool {
	class, version, _ := strings.Cut(name, "/")
	versions := known[devices.Class(class)]
	switch {
	case !validVersion.MatchString(version):
		v.failKey("is not the name of a version; allowed: CLASS/NAME, such as phone/v9")
	case versions == nil:
		v.unknown("adapter", class, adapted(known))
	case slices.Contains(versions, version):
		v.failKey("is a version of this build; allowed: another name, such as %s", fmt.Sprintf("%s/v9", class))
	default:
		return true
	}
	return false
}

func adapted(known map[devices.Class][]string) []string {
	var names []string
	for class := range known {
		names = append(names, string(class))
	}
	return names
}

func (r *Remote) decode(v value) {
	t := trial{}
	v.fields(
		set("instances", &r.Instances, instances(Plain)),
		set("max_body", &r.MaxBody, within(size, 1, 1<<30)),
		set("max_connections", &r.MaxConnections, within(count, 1, 100_000)),
		try(t, "timeout", &r.Timeout, duration),
		try(t, "max_concurrent", &r.MaxConcurrent, count),
		field{"circuit", func(v value) { decodeCircuit(v, t, &r.Circuit) }},
	)
	t.settle(v, func() (key, problem string) { return policyProblem(r.Policy()) })
	if _, ok := v.find("instances"); !ok && v.isBlock() {
		v.missing("instances", "at least one http://HOST:PORT")
	}
}

// hastyRemotes returns a warning for each remote version that can leave control no time
// to make a page in its place.
func (c *Config) hastyRemotes() []string {
	var list []string
	for name, r := range c.Rollout.Remotes {
		for page, p := range c.Pages {
			if r.Timeout >= p.Budget {
				list = append(list, fmt.Sprintf("rollout.remotes.%q.timeout: %s leaves control no time of the budget of %s, which is %s",
					name, show(r.Timeout), page, show(p.Budget)))
			}
		}
	}
	slices.Sort(list)
	return list
}
