package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

// configuration returns the gateway's file: every default, one instance a service.
func configuration(services map[string]string) string {
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nauth: {mode: header}\nservices:\n")
	for _, name := range allServices {
		fmt.Fprintf(&b, "  %s:\n    instances: [%q]\n", name, services[name])
	}
	return b.String()
}

// commandCounts is how the gateway's private port tells of one command.
type commandCounts struct {
	Name     string           `json:"name"`
	Outcomes map[string]int64 `json:"outcomes"`
	Rungs    map[string]int64 `json:"rungs"`
	Refused  int64            `json:"refused_events"`
}

// checkCommands fails unless every call of the gateways was made and succeeded, or was
// cut short by the end of a load, and its circuit heard of it.
func checkCommands(ctx context.Context, gateways ...*subject) error {
	for _, s := range gateways {
		body, _, err := fetch(ctx, s.admin+"/commands", nil)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := commandsFault(body); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func commandsFault(body []byte) error {
	var commands []commandCounts
	if err := json.Unmarshal(body, &commands); err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	var successes int64
	for _, c := range commands {
		if err := c.fault(); err != nil {
			return err
		}
		successes += c.Outcomes["success"]
	}
	if successes == 0 {
		return errors.New("no command counted a success: nothing was measured")
	}
	return nil
}

func (c *commandCounts) fault() error {
	if c.Refused > 0 {
		return fmt.Errorf("the circuit of %s refused %d events", c.Name, c.Refused)
	}
	for outcome, n := range c.Outcomes {
		if n > 0 && outcome != "success" && outcome != "canceled" {
			return fmt.Errorf("%d calls of %s ended as %s: pages were degraded", n, c.Name, outcome)
		}
	}
	if n := c.Rungs["cached"]; n > 0 {
		return fmt.Errorf("%d answers of %s were remembered: no call was made", n, c.Name)
	}
	// A call that the end of a load cuts short may still find a stand-in, for nobody.
	if n := c.Rungs["stale"] + c.Rungs["default"]; n > c.Outcomes["canceled"] {
		return fmt.Errorf("%d stand-ins for answers of %s, of which %d calls were cut short", n, c.Name, c.Outcomes["canceled"])
	}
	return nil
}

// moduleRoot is where the programs are built.
func moduleRoot(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(output))), nil
}

// fetch gets one answer of 200.
func fetch(ctx context.Context, address string, header http.Header) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("fetch: %s said %s: %s", address, response.Status, process.Tail(body))
	}
	return body, response.Header, nil
}
