package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// privatePort is that of a running gateway, for commands that ask it something.
type privatePort struct {
	url   string
	token string // "": none
}

const (
	askTimeout = 10 * time.Second // more than the port gives a change
	maxTold    = 4 << 20          // bytes of an answer
)

func newPrivatePort(text, token string) (*privatePort, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("--admin: must be of the form http://HOST:PORT")
	}
	return &privatePort{url: strings.TrimSuffix(text, "/"), token: token}, nil
}

// ask asks for a path and decodes the answer. What the port refuses is an error
// with the problem's words. A redirection is not followed: the token is for this
// port alone.
func (p *privatePort) ask(ctx context.Context, method, path string, body []byte, into any) error {
	_, err := p.askIf(ctx, method, path, "", body, into)
	return err
}

// askIf is ask of a state whose entity tag is given, "" for any; it returns that of
// the answer.
func (p *privatePort) askIf(ctx context.Context, method, path, ifMatch string, body []byte, into any) (etag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("--admin: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if ifMatch != "" {
		r.Header.Set("If-Match", `"`+ifMatch+`"`)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		return "", failed(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxTold))
	if err != nil {
		return "", failed(err)
	}
	if response.StatusCode != http.StatusOK {
		return "", failed(problemOf(response.Status, text))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return "", failed(fmt.Errorf("the answer of %s is not one of a gateway: %w", p.url, err))
	}
	return strings.Trim(response.Header.Get("ETag"), `"`), nil
}

// problemOf is an answer of problem+json as people read it.
func problemOf(status string, text []byte) error {
	var problem struct{ Title, Detail, Field string }
	_ = json.Unmarshal(text, &problem) // without one, the status is all there is
	if why := cmp.Or(problem.Detail, problem.Title); why != "" {
		status += ": " + why
	}
	if problem.Field != "" {
		status += " (" + problem.Field + ")"
	}
	return errors.New(status)
}

const (
	maxTokenFile = 4 << 10 // bytes
	othersRead   = 0o077
)

// readToken returns the token of a file, or without one that of the environment.
func readToken(file string) (string, error) {
	if file == "" {
		if token := strings.TrimSpace(os.Getenv("FACET_TOKEN")); token != "" {
			return token, nil
		}
		return "", errors.New("a change needs a token: --token-file FILE, or FACET_TOKEN in the environment")
	}
	f, err := os.Open(file) //nolint:gosec // which file is the caller's choice
	if err != nil {
		return "", refused{fmt.Errorf("--token-file: %w", err)}
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&othersRead != 0 {
		return "", refused{fmt.Errorf("--token-file: others can read %s, and so be this operator; allowed: chmod 600", file)}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	if err != nil {
		return "", refused{fmt.Errorf("--token-file: %w", err)}
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", refused{fmt.Errorf("--token-file: %s does not hold one token and nothing else", file)}
	}
	return token, nil
}
