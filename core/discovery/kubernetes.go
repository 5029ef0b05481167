package discovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/secret"
)

// KubernetesOptions say which service of which cluster it is. What is "" is as the
// pod's service account has it; that is looked up when a watch begins, so that a
// configuration can be checked outside of a cluster.
type KubernetesOptions struct {
	Service   string // its name; required
	Port      string // the name of its port; "": the only one
	Namespace string // "": the pod's own
	Address   string // of the API server: https://HOST:PORT; "": of KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT
	TokenFile string // one line, read for each request, since it is renewed; "": the pod's own
	CAFile    string // PEM: who may sign the server's certificate; read when a watch begins anew; "": the pod's own
}

// What a pod finds of its service account.
const (
	accountToken     = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a file's name
	accountCA        = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
	accountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// A watch is asked to end after about a minute: the next one goes on where it ended.
const (
	watching  = 60 * time.Second
	overtime  = 10 * time.Second // before one that should have ended is given up
	maxSlices = 256              // EndpointSlices of a service, of up to 1,000 endpoints each
)

// Kubernetes watches the EndpointSlices of a service: its endpoints that are ready,
// with their zones. The pod's account needs to list and watch endpointslices of
// discovery.k8s.io in the namespace.
type Kubernetes struct{ options KubernetesOptions }

// NewKubernetes returns the resolver of a service. An error names the option at fault;
// no file is read.
func NewKubernetes(o KubernetesOptions) (*Kubernetes, error) {
	switch {
	case !validDNSLabel(o.Service):
		return nil, labelFault("service", o.Service)
	case o.Port != "" && !validDNSLabel(o.Port):
		return nil, labelFault("port", o.Port)
	case o.Namespace != "" && !validDNSLabel(o.Namespace):
		return nil, labelFault("namespace", o.Namespace)
	case o.Address != "" && (!validURL(o.Address) || !secure(o.Address)):
		return nil, fault.InvalidField("address", fmt.Sprintf("%.100q is none; allowed: https://HOST:PORT", o.Address))
	}
	return &Kubernetes{options: o}, nil
}

// validDNSLabel reports whether a text can be a name in Kubernetes (RFC 1123).
func validDNSLabel(text string) bool {
	return text != "" && len(text) <= maxLabel && plain(text, "-") && strings.ToLower(text) == text &&
		text[0] != '-' && text[len(text)-1] != '-'
}

func labelFault(field, text string) error {
	return fault.InvalidField(field, fmt.Sprintf("%.100q is none; allowed: at most %d small letters, digits and hyphens", text, maxLabel))
}

func (k *Kubernetes) String() string { return "kubernetes " + k.options.Service }

// Watch lists the slices, and watches them.
func (k *Kubernetes) Watch(ctx context.Context, told func([]Instance), failed func(error)) {
	w := &kubernetesWatch{teller: teller{registry: "kubernetes", told: told, failed: failed}, port: k.options.Port}
	for ctx.Err() == nil {
		err := w.connected(ctx, k.options)
		if ctx.Err() == nil {
			w.fail(err)
			w.pause(ctx)
		}
	}
}

// kubernetesWatch is a Watch. One goroutine has it.
type kubernetesWatch struct {
	teller
	backoff
	port    string
	api     *api
	target  string                // with the selector
	slices  map[string]*endpoints // by name
	version string                // what the slices are as of
	short   int                   // watches in a row that did not last
	broken  error                 // why they did not
	midway  bool                  // they had begun
	opened  bool                  // this one has
}

// connected lists and watches, until something is wrong.
func (w *kubernetesWatch) connected(ctx context.Context, o KubernetesOptions) error {
	if err := o.complete(); err != nil {
		return away("kubernetes", err)
	}
	a, err := newAPI("kubernetes", o.CAFile, o.open)
	if err != nil {
		return err
	}
	defer a.close()
	w.api, w.short, w.broken = a, 0, nil
	w.target = o.Address + "/apis/discovery.k8s.io/v1/namespaces/" + o.Namespace + "/endpointslices?labelSelector=" +
		url.QueryEscape("kubernetes.io/service-name="+o.Service)
	for {
		if err := w.list(ctx); err != nil {
			return err
		}
		w.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		w.pause(ctx)
	}
}

// complete fills in what the pod's account says.
func (o *KubernetesOptions) complete() error {
	if o.Address == "" {
		host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if o.Address = "https://" + net.JoinHostPort(host, port); !validURL(o.Address) {
			return errors.New("address: this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name no server")
		}
	}
	if o.Namespace == "" {
		name, err := secret.Read(accountNamespace)
		if err != nil {
			return fmt.Errorf("namespace: %w", err)
		}
		if o.Namespace = name; !validDNSLabel(name) {
			return fmt.Errorf("namespace: %s names none", accountNamespace)
		}
	}
	if o.TokenFile == "" {
		o.TokenFile = accountToken
	}
	if o.CAFile == "" {
		o.CAFile = accountCA
	}
	return nil
}

func (o *KubernetesOptions) open(q *http.Request) error {
	token, err := secret.Read(o.TokenFile)
	if err != nil {
		return fmt.Errorf("token_file: %w", err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// list reads all slices as they are now.
func (w *kubernetesWatch) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := w.api.get(ctx, w.target)
	if err != nil {
		return err
	}
	text, err := w.api.body(answer)
	if err != nil {
		return err
	}
	w.slices, w.version, err = readList(text, w.port)
	if err != nil {
		return err
	}
	w.publish()
	return nil
}

// follow watches, and once a watch has ended begins another one where it was, until
// one is cut off. That is no outage: a list tells more. But where none lasts, lists are
// all there is, and it is told.
func (w *kubernetesWatch) follow(ctx context.Context) {
	for {
		began := time.Now()
		w.opened = false
		err := w.watch(ctx)
		if time.Since(began) > longest {
			w.reset()
			w.short = 0
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, errExpired):
			return
		case err != nil:
			if w.short++; w.short > 1 {
				w.broken, w.midway = err, w.opened
			}
			return
		}
		w.works()
		w.pause(ctx)
	}
}

// works is that an event was heard, or that a watch ended as it should.
func (w *kubernetesWatch) works() {
	w.short = 0
	w.mended()
}

// mended takes back that watches do not last.
func (w *kubernetesWatch) mended() {
	if w.broken != nil {
		w.broken = nil
		w.publish()
	}
}

// watch takes events until the server ends them, which is no fault.
func (w *kubernetesWatch) watch(ctx context.Context) error {
	lasts := watching - rand.N(watching/4)
	ctx, cancel := context.WithTimeout(ctx, lasts+overtime)
	defer cancel()
	begun := time.AfterFunc(limit, cancel) // the server says at once that it watches
	answer, err := w.api.get(ctx, fmt.Sprintf("%s&watch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%d",
		w.target, url.QueryEscape(w.version), int(lasts.Seconds())))
	begun.Stop()
	if fault.CodeOf(err) == fault.Conflict {
		return errExpired
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if w.opened = true; !w.midway {
		w.mended()
	}
	events := newEvents(answer.Body)
	for {
		e, err := events.next()
		if e == nil || err != nil {
			return err
		}
		if err := w.hear(e); err != nil {
			return err
		}
	}
}

// hear takes an event.
func (w *kubernetesWatch) hear(e *event) error {
	s, err := e.slice(w.port)
	if err != nil {
		return err
	}
	w.version = s.version
	w.works()
	switch e.Type {
	case "BOOKMARK":
		return nil
	case "DELETED":
		delete(w.slices, s.name)
	default:
		w.slices[s.name] = s
		if len(w.slices) > maxSlices {
			return rubbish("kubernetes", fmt.Sprintf("has more than %d slices of the service", maxSlices))
		}
	}
	w.publish()
	return nil
}

// publish tells the endpoints of all slices. One may be in two of them for a while.
func (w *kubernetesWatch) publish() {
	var found []Instance
	flaw := w.broken
	for _, name := range slices.Sorted(maps.Keys(w.slices)) {
		s := w.slices[name]
		found = append(found, s.found...)
		if flaw == nil {
			flaw = s.flaw
		}
	}
	w.tell(found, flaw)
}
