package http

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// newProbe returns what asks an instance how it is: a GET on a connection of its own,
// of which any 2xx says that it is well.
func newProbe(o Options) func(context.Context, *instance) error {
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: o.DialTimeout}).DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: headerLimit,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, in *instance) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+in.address+in.prefix+o.CheckPath, http.NoBody)
		if err != nil {
			return fmt.Errorf("the health check: %w", err)
		}
		answer, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("the health check: %w", err)
		}
		defer answer.Body.Close() //nolint:errcheck // it was only read
		_, _ = io.CopyN(io.Discard, answer.Body, headerLimit)
		if answer.StatusCode/100 != http.StatusOK/100 {
			return fmt.Errorf("the health check: status %d", answer.StatusCode)
		}
		return nil
	}
}
