package main

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
)

func TestRetryAfterIsTheLongestSleep(t *testing.T) {
	sleeps := func(all ...time.Duration) config.Service {
		s := config.Service{Commands: map[string]command.Policy{}}
		for _, sleep := range all {
			p := command.DefaultPolicy()
			p.Circuit.Sleep = sleep
			s.Commands[sleep.String()] = p
		}
		return s
	}
	c := &config.Config{Services: map[string]config.Service{"a": sleeps(time.Second, 7*time.Second), "b": sleeps(2 * time.Second)}}
	if got := longestSleep(c.Services); got != 7*time.Second {
		t.Errorf("%v, want 7s", got)
	}
}
