package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
	"github.com/facet-gateway/facet/core/operator"
)

// errRefused is an answer that is not a 200.
var errRefused = errors.New("refused")

// ask returns the body of an answer of 200.
func ask(ctx context.Context, method, url, body string) ([]byte, error) {
	return askAs(ctx, "", method, url, body)
}

// askAs asks with an operator's token; "" is none.
func askAs(ctx context.Context, token, method, url, body string) ([]byte, error) {
	const longest, most = 10 * time.Second, 4 << 20
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		said := strings.Join(strings.Fields(process.Tail(text)), " ") // in a line
		return nil, fmt.Errorf("ask: %s %s %w: %s: %s", method, url, errRefused, answer.Status, said)
	}
	return text, nil
}

// operator makes a token, and the section of a configuration that knows it.
func (l *lab) operator() (token, section string, err error) {
	token, line, err := operator.New("faults")
	if err != nil {
		return "", "", fmt.Errorf("lab: %w", err)
	}
	file := filepath.Join(l.dir, "operators.txt")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		return "", "", fmt.Errorf("lab: %w", err)
	}
	return token, fmt.Sprintf("operators: {tokens: %q}\n", file), nil
}
