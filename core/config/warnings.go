package config

import (
	"fmt"
	"slices"
	"time"
)

// warnings returns what is allowed but hardly meant: a private port that others
// reach, a shared cache that can do less, waits that a page's budget always ends first, and an answer cut off
// before its page is late.
func (c *Config) warnings() []string {
	var list []string
	if !loopback(c.Admin) {
		warning := fmt.Sprintf("admin: %s is not a loopback address: whoever reaches it can read the state and take profiles", c.Admin)
		if c.Operators.Tokens != "" {
			warning += ", and whoever listens on the way can read the tokens"
		}
		list = append(list, warning)
	}
	list = append(list, c.vainRetries()...)
	list = append(list, c.hastyRemotes()...)
	list = append(list, c.cutRoutes()...)
	if len(c.Cache.Memcached) > 0 {
		list = append(list, "cache.memcached: it has neither tags nor a refresh that replicas share: nothing can be invalidated by tag, "+
			"every replica refreshes by itself, and an invalidation by key does not reach the memory of other replicas; redis has them")
	}
	if largest := c.largestBudget(); largest > 0 {
		list = append(list, c.lateTimeouts(largest)...)
		if c.Server.WriteTimeout <= largest {
			list = append(list, fmt.Sprintf("server.write_timeout: %s is not longer than %s, the largest page budget: slow pages are cut off",
				show(c.Server.WriteTimeout), show(largest)))
		}
	}
	return list
}

// vainRetries returns a warning for each command that may ask another instance
// where there is none.
func (c *Config) vainRetries() []string {
	var list []string
	for service, s := range c.Services {
		for name, p := range s.Commands {
			if (p.Retry.Attempts > 1 || p.Hedge) && len(s.Instances) == 1 {
				list = append(list, fmt.Sprintf(
					"services.%s.commands.%s: a second attempt goes to another instance, and the service has only one", service, name))
			}
		}
	}
	slices.Sort(list)
	return list
}

// lateTimeouts returns a warning for each command that may take longer than any page.
func (c *Config) lateTimeouts(largest time.Duration) []string {
	var list []string
	for service, s := range c.Services {
		for name, p := range s.Commands {
			if p.Timeout > largest {
				list = append(list, fmt.Sprintf(
					"services.%s.commands.%s.timeout: %s is longer than %s, the largest page budget, which ends the call first",
					service, name, show(p.Timeout), show(largest)))
			}
		}
	}
	slices.Sort(list)
	return list
}

// largestBudget is 0 where there are no pages.
func (c *Config) largestBudget() time.Duration {
	var largest time.Duration
	for _, p := range c.Pages {
		largest = max(largest, p.Budget)
	}
	return largest
}
