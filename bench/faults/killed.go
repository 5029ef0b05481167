package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/facet-gateway/facet/bench/process"
)

// killed shows a gateway that is killed at a random moment while somebody changes its
// rollouts, and started again on the file that is left: it starts each time, with no
// change that was confirmed missing, and none that nobody asked for.
func killed(ctx context.Context, l *lab, _ row) ([]finding, error) {
	rounds := 50
	if l.options.short {
		rounds = 5
	}
	token, operators, err := l.operator()
	if err != nil {
		return nil, err
	}
	k := keeper{lab: l, config: filepath.Join(l.dir, "killed.yaml"), token: token}
	file := filepath.Join(l.dir, "killed.json") // of its own: other gateways may have the one that is the default here
	policy := policy{bare: true, extra: operators + fmt.Sprintf("rollout: {file: %q}\n", file)}
	if err := os.WriteFile(k.config, []byte(configuration(l.shop, policy)), 0o600); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	for range rounds {
		if err := k.round(ctx); err != nil {
			return nil, err
		}
	}
	if err := k.restart(ctx); err != nil { // and reads what the last round left
		return nil, err
	}
	k.gateway.Stop()
	return []finding{
		atLeast("kills after which it started, and read its rollouts", nil, []float64{float64(k.read)}, float64(rounds)),
		atMost("changes lost that were confirmed", nil, []float64{float64(k.lost)}, 0, nil),
		atMost("changes that nobody asked for", nil, []float64{float64(k.foreign)}, 0, nil),
		{what: "changes confirmed, in all", faulty: []float64{float64(k.confirmed)}},
		{what: "of them kept, though the gateway was killed before it said so", faulty: []float64{float64(k.unsaid)}},
	}, nil
}

// keeper is a gateway that is started again and again on one file, and who changes
// its rollouts.
type keeper struct {
	lab     *lab
	config  string
	token   string
	gateway *process.Process
	admin   string

	confirmed             uint64 // the last revision that the gateway said
	read                  int    // starts after a kill
	lost, foreign, unsaid uint64 // revisions
	started               int
}

// round starts the gateway, changes its rollouts, and kills it at some moment of that.
func (k *keeper) round(ctx context.Context) error {
	if err := k.restart(ctx); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		const longest = 60 * time.Millisecond
		_ = sleep(ctx, rand.N(longest)) // it kills sooner if all ends
		_ = k.gateway.Signal(syscall.SIGKILL)
	}()
	err := k.changes(ctx)
	<-ended
	k.gateway.Stop()
	return err
}

// restart starts the gateway on the file that is there, and looks what it has read.
func (k *keeper) restart(ctx context.Context) (err error) {
	k.started++
	k.gateway, err = process.Start(ctx, k.lab.dir, fmt.Sprintf("killed-%d", k.started), gogc, k.lab.program(), "serve", "--config", k.config)
	if err != nil {
		return err
	}
	if err = k.look(ctx); err != nil {
		k.gateway.Stop()
	}
	return err
}

func (k *keeper) look(ctx context.Context) (err error) {
	if k.admin, err = k.gateway.Announced(ctx, "admin"); err != nil {
		return err
	}
	text, err := ask(ctx, http.MethodGet, k.admin+"/rollouts/history", "")
	if err != nil {
		return err
	}
	var history []struct {
		Revision uint64 `json:"revision"`
	}
	if err := json.Unmarshal(text, &history); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	var last uint64
	if len(history) > 0 {
		last = history[len(history)-1].Revision
	}
	k.judge(last)
	if k.started > 1 {
		k.read++
	}
	return nil
}

// judge compares a revision with the last one that was confirmed: of the change that
// the kill cut short nobody can know what became.
func (k *keeper) judge(last uint64) {
	switch {
	case last < k.confirmed:
		k.lost += k.confirmed - last
	case last == k.confirmed+1:
		k.unsaid++
	case last > k.confirmed+1:
		k.foreign += last - k.confirmed - 1
	}
	k.confirmed = last
}

// changes changes the share of a rollout until the gateway is gone. A change that was
// refused is an error.
func (k *keeper) changes(ctx context.Context) error {
	method, url, body := http.MethodPut, k.admin+"/rollouts/phone/fresh", `{"candidate": "v2", "share": 1, "slice": {"from": 0, "to": 100}}`
	if k.confirmed > 0 {
		method, url = http.MethodPost, url+"/step"
	}
	for n := k.confirmed; ; n++ {
		if method == http.MethodPost {
			body = fmt.Sprintf(`{"share": %d}`, 1+n%100)
		}
		_, err := askAs(ctx, k.token, method, url, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errRefused):
			return err
		case err != nil:
			return nil //nolint:nilerr // it is gone, as it should be
		}
		k.confirmed++
		if method == http.MethodPut {
			method, url = http.MethodPost, url+"/step"
		}
	}
}
