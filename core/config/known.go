package config

import (
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/facet-gateway/facet/core/cache/store"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/devices"
)

// Known is what the code knows, so that a file can name nothing else.
type Known struct {
	// Services holds the commands of each service, with the policy that each
	// has where the file says nothing.
	Services map[string]map[string]command.Policy

	// Transports are the ways in which each service can be reached, of those that the
	// package knows; none: http alone.
	Transports map[string][]string

	// Pages are the names of the endpoints, such as "productdetails".
	Pages []string

	// Feeds are the names of what keeps coming, such as "live/stock".
	Feeds []string

	// Adapters are the names of the versions of each class's adapter. The first
	// one answers where the file says nothing.
	Adapters map[devices.Class][]string

	// Devices is what is true of devices where the file says nothing; zero
	// fields take the defaults of package devices.
	Devices devices.Options
}

const defaultBudget = 800 * time.Millisecond

// defaults returns the configuration of a file that says nothing. Nothing in it
// is shared with k.
func (k Known) defaults() (*Config, error) {
	if err := k.validate(); err != nil {
		return nil, fmt.Errorf("config: the code's own default for %w", err)
	}
	c := &Config{
		Listen:    "127.0.0.1:8080",
		Admin:     "127.0.0.1:8081",
		Devices:   k.Devices,
		Auth:      Auth{Mode: "none"},
		CORS:      CORS{MaxAge: 10 * time.Minute},
		Log:       Log{Level: slog.LevelInfo, Format: "json", Requests: true},
		Server:    defaultServer(),
		Admission: edge.DefaultOptions(),
		Cache:     store.Default(),
		Rollout:   defaultRollout(),
		Live:      defaultLive(),
		Services:  make(map[string]Service, len(k.Services)),
		Pages:     make(map[string]Page, len(k.Pages)),
		Adapters:  make(map[devices.Class]string, len(k.Adapters)),
	}
	c.Devices.Profiles = append([]devices.Profile(nil), k.profiles()...)
	for name, commands := range k.Services {
		c.Services[name] = Service{
			Transport: Plain,
			MaxBody:   1 << 20, MaxConnections: 512, Commands: maps.Clone(commands), Balance: defaultBalance(),
			RetryBudget: RetryBudget{Percent: command.DefaultRetryPercent, Floor: command.DefaultRetryFloor},
		}
	}
	for _, name := range k.Pages {
		c.Pages[name] = Page{Budget: defaultBudget}
	}
	for class, versions := range k.Adapters {
		c.Adapters[class] = versions[0]
	}
	return c, nil
}

func (k Known) profiles() []devices.Profile {
	if len(k.Devices.Profiles) == 0 {
		return devices.Standard()
	}
	return k.Devices.Profiles
}

func (k Known) validate() error {
	for service, commands := range k.Services {
		for name, policy := range commands {
			if err := policy.Validate(); err != nil {
				return fmt.Errorf("%s.%s: %w", service, name, err)
			}
		}
	}
	for class, versions := range k.Adapters {
		if len(versions) == 0 {
			return fmt.Errorf("the adapter of %s: it has no version", class)
		}
	}
	_, err := devices.NewResolver(k.Devices)
	return err
}
