package discovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// authorities returns who may sign certificates; nil: whom the system trusts.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // that is the system's choice
	}
	text, err := os.ReadFile(file) //nolint:gosec // the configuration names it
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s; allowed: PEM", file)
	}
	return pool, nil
}

// validURL reports whether a text is http://HOST:PORT or https://HOST:PORT.
func validURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && text == u.Scheme+"://"+u.Host && validAddress(u.Host)
}

func secure(endpoint string) bool { return strings.HasPrefix(endpoint, "https://") }

// api is the HTTP API of a registry. It is made for one watch and closed at its end.
type api struct {
	name   string
	client *http.Client
	open   func(*http.Request) error // has a request say who asks
}

// A host that is gone without a word is found by probes of its connections.
const (
	probes    = 3
	probing   = time.Second // between two of them
	maxHeader = 64 << 10    // bytes
)

// newAPI reads the file of authorities.
func newAPI(name, ca string, open func(*http.Request) error) (*api, error) {
	pool, err := authorities(ca)
	if err != nil {
		return nil, away(name, fmt.Errorf("ca: %w", err))
	}
	dialer := &net.Dialer{
		Timeout:         limit,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probing, Interval: probing, Count: probes},
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: limit, MaxConnsPerHost: 2, MaxResponseHeaderBytes: maxHeader,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // whoever it leads to should not see the token
	}}
	return &api{name: name, client: client, open: open}, nil
}

func (a *api) close() { a.client.CloseIdleConnections() }

// get asks for a target, until ctx ends. An answer of another status than 200 is an
// error; the body of one that is not is the caller's to close.
func (a *api) get(ctx context.Context, target string) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, away(a.name, err)
	}
	q.Header.Set("Accept", "application/json")
	if err := a.open(q); err != nil {
		return nil, away(a.name, err)
	}
	answer, err := a.client.Do(q)
	if err != nil {
		var sent *url.Error
		if errors.As(err, &sent) {
			err = sent.Err // without the target, which is long
		}
		return nil, away(a.name, err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	return nil, a.status(answer)
}

const maxExplanation = 200 // bytes

// status is the error of an answer that is none.
func (a *api) status(answer *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxExplanation))
	detail := fmt.Sprintf("%s answers %d", a.name, answer.StatusCode)
	cause := fmt.Errorf("%q", bytes.TrimSpace(text))
	code := fault.Unavailable
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		code = fault.Forbidden
	case http.StatusGone:
		code = fault.Conflict
	}
	return &fault.Error{Code: code, Detail: detail, Cause: cause}
}

// body reads all of an answer.
func (a *api) body(answer *http.Response) ([]byte, error) {
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, away(a.name, err)
	case len(text) > maxAnswer:
		return nil, rubbish(a.name, fmt.Sprintf("answers with more than %d bytes", maxAnswer))
	}
	return text, nil
}
