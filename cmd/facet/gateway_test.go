package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/fault"
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
	if got := longestSleep(c); got != 7*time.Second {
		t.Errorf("%v, want 7s", got)
	}
}

// TestClientsRefuseByTheNamesOfTheConfiguration, what it has let pass.
func TestClientsRefuseByTheNamesOfTheConfiguration(t *testing.T) {
	g := &gateway{config: &config.Config{}}
	rules := config.Balance{Policy: "round_robin"}
	for field, s := range map[string]config.Service{
		"instances[0]":      {Transport: "zmq", Instances: []string{"TCP://h:1"}},
		"live.instances[1]": {Transport: "zmq", Live: config.Published{Instances: []string{"tcp://h:1", "TCP://h:1"}}},
		"live.instances":    {Transport: "zmq", Live: config.Published{Instances: make([]string, 1001)}},
		"live.port":         {Transport: "zmq", Live: config.Published{Port: 1 << 16}},
		"instances":         {Transport: "nats"},
	} {
		s.Balance = rules
		var f *fault.Error
		if c, err := g.dial("inventory", &s); !errors.As(err, &f) || f.Field != field || c != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestReloadTellsWhyNot: each error of a reload is one that a client can be told.
func TestReloadTellsWhyNot(t *testing.T) {
	b, err := newBuild()
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(fullConfig, b.known())
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGateway(b, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	try := func(code fault.Code, detail string) {
		t.Helper()
		var f *fault.Error
		if _, err := g.reload(t.Context()); !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Detail, detail) {
			t.Errorf("%v, want %v and %q", err, code, detail)
		}
	}
	try(fault.Invalid, "no file to read again")
	g.file = "nowhere.yaml"
	try(fault.Invalid, "no such file")
	g.file = "."
	try(fault.Invalid, "not a regular file")
	g.file = fullConfig
	if done, err := g.reload(t.Context()); err != nil || len(done.Changes) != 0 {
		t.Errorf("the same file: %v, %v", done, err)
	}
	g.reloader.Close()
	try(fault.Unavailable, "the program is stopping")
	if _, status := g.reloader.InForce(); status.Reloads != 1 || status.Failures != 4 {
		t.Errorf("%+v", status)
	}
}

// BenchmarkReload is a whole one, of a file that says everything.
func BenchmarkReload(b *testing.B) {
	built, err := newBuild()
	if err != nil {
		b.Fatal(err)
	}
	c, err := config.Load(fullConfig, built.known())
	if err != nil {
		b.Fatal(err)
	}
	g, err := newGateway(built, c, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer g.close()
	g.file = fullConfig
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.reload(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
