package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/secret"
)

// ConsulOptions say which service Consul is asked for. What is "" is not needed,
// unless it says otherwise.
type ConsulOptions struct {
	Address    string // of the agent: http://HOST:PORT or https://HOST:PORT; "": DefaultConsul
	Service    string // its name; required
	Tag        string // that instances must have
	Datacenter string // "": the agent's own
	TokenFile  string // one line, read for each request
	CAFile     string // PEM: who may sign the agent's certificate; "": whom the system trusts; read when a watch begins
}

// DefaultConsul is the agent of this machine.
const DefaultConsul = "http://127.0.0.1:8500"

// A query blocks for a few seconds, of which Consul makes up to a sixteenth more: so
// long it can take to find that one was lost.
const (
	blocking = 3 * time.Second
	lost     = blocking + blocking/16 + 500*time.Millisecond

	burst  = 2                      // queries that may follow each other at once
	refill = 500 * time.Millisecond // for each further one
)

// Consul watches the instances of a service whose checks all pass, by blocking queries.
// It tells much of each: an answer of 1 MiB has some 500 to 1,000 of them.
type Consul struct {
	options ConsulOptions
	target  string // with all that does not change
}

// NewConsul returns the resolver of a service. An error names the option at fault; no
// file is read.
func NewConsul(o ConsulOptions) (*Consul, error) {
	if o.Address == "" {
		o.Address = DefaultConsul
	}
	switch {
	case !validURL(o.Address):
		return nil, fault.InvalidField("address", fmt.Sprintf("%.100q is none; allowed: http://HOST:PORT or https://HOST:PORT", o.Address))
	case o.Service == "" || !validWord(o.Service):
		return nil, fault.InvalidField("service", wordFault(o.Service))
	case !validWord(o.Tag):
		return nil, fault.InvalidField("tag", wordFault(o.Tag))
	case !validWord(o.Datacenter):
		return nil, fault.InvalidField("datacenter", wordFault(o.Datacenter))
	case o.CAFile != "" && !secure(o.Address):
		return nil, fault.InvalidField("ca", "it is for an address of https")
	}
	query := url.Values{"passing": {"1"}}
	if o.Tag != "" {
		query.Set("tag", o.Tag)
	}
	if o.Datacenter != "" {
		query.Set("dc", o.Datacenter)
	}
	return &Consul{options: o, target: o.Address + "/v1/health/service/" + url.PathEscape(o.Service) + "?" + query.Encode()}, nil
}

const maxWord = 128 // bytes, of names in Consul

func validWord(text string) bool {
	return len(text) <= maxWord && plain(text, "-_.:=") && text != "." && text != ".."
}

func wordFault(text string) string {
	return fmt.Sprintf("%.100q is none; allowed: at most %d letters, digits and any of -_.:=", text, maxWord)
}

func (c *Consul) String() string { return "consul " + c.options.Service }

// Watch asks for the instances and waits for them to change.
func (c *Consul) Watch(ctx context.Context, told func([]Instance), failed func(error)) {
	t := teller{registry: "consul", told: told, failed: failed}
	var b backoff
	for ctx.Err() == nil {
		err := c.follow(ctx, &t, &b)
		if ctx.Err() == nil {
			t.fail(err)
			b.pause(ctx)
		}
	}
}

// follow asks, one query after the other, until something is wrong.
func (c *Consul) follow(ctx context.Context, t *teller, b *backoff) error {
	a, err := newAPI("consul", c.options.CAFile, c.open)
	if err != nil {
		return err
	}
	defer a.close()
	index, tokens, last := uint64(0), float64(burst), time.Now()
	for {
		said, err := c.ask(ctx, a, index)
		if err != nil {
			return err
		}
		found, flaw, err := readConsul(said.text)
		if err != nil {
			return err
		}
		if said.hidden {
			flaw = refused("consul", "hides instances from whoever has this token")
		}
		t.tell(found, flaw)
		b.reset()
		index = advance(index, said.index)
		tokens = min(burst, tokens+float64(time.Since(last))/float64(refill)) - 1
		if last = time.Now(); tokens < 0 { // values change without end
			wait(ctx, refill)
		}
	}
}

// advance is the index to wait behind. One that goes backwards begins anew, and one
// that Consul should never send would not block.
func advance(index, next uint64) uint64 {
	if next < index {
		return 0
	}
	return max(next, 1)
}

func (c *Consul) open(q *http.Request) error {
	if c.options.TokenFile == "" {
		return nil
	}
	token, err := secret.Read(c.options.TokenFile)
	if err != nil {
		return fmt.Errorf("token_file: %w", err)
	}
	q.Header.Set("X-Consul-Token", token)
	return nil
}

// consulAnswer is what Consul says at an index.
type consulAnswer struct {
	text   []byte
	index  uint64
	hidden bool // there is more than whoever asks may see
}

// ask makes one query. At index 0 it is answered at once.
func (c *Consul) ask(ctx context.Context, a *api, index uint64) (*consulAnswer, error) {
	target, within := c.target, limit
	if index > 0 {
		target += fmt.Sprintf("&index=%d&wait=%s", index, blocking)
		within = lost
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer, err := a.get(ctx, target)
	if err != nil {
		return nil, err
	}
	text, err := a.body(answer)
	if err != nil {
		return nil, err
	}
	h := answer.Header
	next, err := strconv.ParseUint(h.Get("X-Consul-Index"), 10, 64)
	if err != nil {
		return nil, rubbish("consul", fmt.Sprintf("tells no index, but %.100q", h.Get("X-Consul-Index")))
	}
	return &consulAnswer{text: text, index: next, hidden: h.Get("X-Consul-Results-Filtered-By-ACLs") == "true"}, nil
}

// consulEntry is what is read of an instance; Consul tells more.
type consulEntry struct {
	Node struct {
		Address  string
		Locality *consulLocality
	}
	Service struct {
		Address  string // "": the node's
		Port     int
		Locality *consulLocality
	}
}

type consulLocality struct{ Zone string }

// readConsul reads the instances that can be dialed; flaw says which is not.
func readConsul(text []byte) (found []Instance, flaw, err error) {
	var entries []consulEntry
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, nil, rubbish("consul", fmt.Sprintf("answers what cannot be read: %.200v", err))
	}
	for _, e := range entries {
		i := e.instance()
		if field, err := i.validate(); err != nil {
			if flaw == nil {
				flaw = rubbish("consul", fmt.Sprintf("knows an instance whose %s cannot be used: %v", field, err))
			}
			continue
		}
		found = append(found, i)
	}
	return found, flaw, nil
}

func (e *consulEntry) instance() Instance {
	host, zone := e.Service.Address, ""
	if host == "" {
		host = e.Node.Address
	}
	for _, l := range []*consulLocality{e.Node.Locality, e.Service.Locality} {
		if l != nil && l.Zone != "" {
			zone = l.Zone
		}
	}
	return Instance{Address: net.JoinHostPort(host, strconv.Itoa(e.Service.Port)), Zone: zone}
}
