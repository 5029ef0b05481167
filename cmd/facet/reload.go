package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// reload puts in force what the gateway's file says by now, all of it or nothing,
// and tells of it in the log. It waits for another reload until ctx ends. An error
// is one that the private port can answer with. Safe for concurrent use.
func (g *gateway) reload(ctx context.Context) (config.Reloaded, error) {
	done, err := g.reloader.Reload(ctx)
	if err != nil {
		g.log.Error("not reloaded: the configuration in force stays", "file", g.file, "error", err.Error())
		return done, reloadFault(err)
	}
	g.log.Info("reloaded", "file", g.file, "changes", summary(done.Changes))
	for _, warning := range done.Warnings {
		g.log.Warn("configuration", "file", g.file, "warning", warning)
	}
	return done, nil
}

// reloadFault is what an operator is told of a reload that failed: all of it. It is
// for the file to be mended, unless it was not read.
func reloadFault(err error) error {
	code := fault.Invalid
	if errors.Is(err, config.ErrClosed) || errors.Is(err, config.ErrBusy) {
		code = fault.Unavailable
	}
	return fault.New(code, err.Error())
}

// summary is of as many changes as a line of the log can hold.
func summary(changes []config.Change) []string {
	const most = 100
	texts := make([]string, 0, min(len(changes), most+1))
	for _, c := range changes[:min(len(changes), most)] {
		texts = append(texts, c.String())
	}
	if more := len(changes) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return texts
}

// load reads the gateway's file again. Something else than a file, a pipe, say,
// could have it wait without end.
func (g *gateway) load() (*config.Config, error) {
	if g.file == "" {
		return nil, errors.New("there is no file to read again")
	}
	info, err := os.Stat(g.file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read the configuration: %s is not a regular file, which alone can be read again", g.file)
	}
	return config.Load(g.file, g.build.known())
}

// prepare checks everything that a configuration comes to, and makes it ready:
// what it returns puts it in force, and cannot fail. What a reload may change has
// its place here.
func (g *gateway) prepare(c *config.Config) (apply func(), err error) {
	policies, err := g.policies(c)
	if err != nil {
		return nil, err
	}
	if err := c.Admission.Validate(); err != nil {
		return nil, refused{fmt.Errorf("admission: %w", err)}
	}
	tokens, err := g.tokens(c)
	if err != nil {
		return nil, err
	}
	live, err := g.live(c)
	if err != nil {
		return nil, err
	}
	serve, err := g.server.Prepare(live)
	if err != nil {
		return nil, refused{err}
	}
	documents, err := contracts{g.build.versions, c.Adapters, live.Devices}.all()
	if err != nil {
		return nil, err
	}
	return func() {
		policies()
		g.admit(c)
		tokens()
		g.telemetry.AddDevices(answering(&live)) // first: no request of a new class is missed
		serve()
		g.documents.Store(&documents)
		if g.level != nil {
			g.level.Set(c.Log.Level)
		}
	}, nil
}

// admit puts the rules of admission in force, which were found good.
func (g *gateway) admit(c *config.Config) {
	if err := g.admission.Configure(c.Admission); err != nil {
		g.log.Error("rules of admission that were found good are refused: a defect", "error", err.Error())
	}
}

// policies checks the policy of every command before the first is put in force, and
// the budgets of retries with them, which are in their ranges in any case. A call
// has one policy from start to end; of a page's calls, those that begin later have
// the new one.
func (g *gateway) policies(c *config.Config) (apply func(), err error) {
	controls := g.build.services.Controls()
	for _, control := range controls {
		service, name := split(control)
		if err := c.Services[service].Commands[name].Validate(); err != nil {
			return nil, refused{fmt.Errorf("%s: %w", control.Name(), err)}
		}
	}
	return func() {
		for name, budget := range g.retries {
			budget.Configure(c.Services[name].RetryBudget.Percent, c.Services[name].RetryBudget.Floor)
		}
		for _, control := range controls {
			service, name := split(control)
			if err := control.Configure(c.Services[service].Commands[name]); err != nil {
				g.log.Error("a policy that was found good is refused: a defect", "error", err.Error())
			}
		}
		g.reachBy(c)
		g.balanceBy(c)
		g.passBy(c)
	}, nil
}

// follow reloads at each signal, also to tell that a gateway which stops does not.
// The function that it returns ends that, and waits for a reload in progress.
func (g *gateway) follow(signals <-chan os.Signal) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				g.reloadSafely(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// reloadSafely keeps a defect of a reload from ending the program.
func (g *gateway) reloadSafely(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			g.log.Error("not reloaded: a defect", "file", g.file, "error", stream.Panicked(v).Error())
		}
	}()
	_, _ = g.reload(ctx) // which has told of it
}

// inForce is what the private port tells of the configuration.
func (g *gateway) inForce() any {
	c, status := g.reloader.InForce()
	settings := make(map[string]string)
	for _, s := range c.Settings() {
		settings[s.Path] = s.Value
	}
	return struct {
		File string `json:"file,omitempty"`
		config.ReloadStatus
		Settings map[string]string `json:"settings"`
	}{g.file, status, settings}
}
