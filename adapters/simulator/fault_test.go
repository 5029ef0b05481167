package simulator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/fault"
)

func TestParseFault(t *testing.T) {
	tests := []struct {
		text string
		want simulator.Fault
		form string // what String returns
	}{
		{"", simulator.Fault{}, "none"},
		{" none ", simulator.Fault{}, "none"},
		{"latency=50ms,spread=20ms,error=0.3",
			simulator.Fault{Latency: 50 * time.Millisecond, Spread: 20 * time.Millisecond, ErrorRate: 0.3},
			"latency=50ms,spread=20ms,error=0.3"},
		{"queue=2, capacity=4", simulator.Fault{Capacity: 4, Queue: 2}, "capacity=4,queue=2"},
		{"hang", simulator.Fault{Hang: true}, "hang"},
		{"hang=false", simulator.Fault{}, "none"},
		{"reset,latency=1s", simulator.Fault{Reset: true, Latency: time.Second}, "latency=1s,reset"},
		{"garbage", simulator.Fault{Garbage: true}, "garbage"},
		{"wrongtype=true", simulator.Fault{WrongType: true}, "wrongtype"},
		{"truncated", simulator.Fault{Truncated: true}, "truncated"},
		{"deep", simulator.Fault{Deep: true}, "deep"},
		{"huge", simulator.Fault{Huge: true}, "huge"},
		{"bomb", simulator.Fault{Bomb: true}, "bomb"},
		{"oversize", simulator.Fault{Oversize: true}, "oversize"},
		{"down", simulator.Fault{Down: true}, "down"},
		{"status=429", simulator.Fault{Status: 429}, "status=429"},
		{"drip=1s", simulator.Fault{Drip: time.Second}, "drip=1s"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := simulator.ParseFault(tt.text)
			if err != nil || got != tt.want || got.String() != tt.form {
				t.Errorf("got %v (%s), %v; want %v (%s)", got, got.String(), err, tt.want, tt.form)
			}
		})
	}
}

// badFaults are texts and the field that their error must name.
var badFaults = []struct{ text, field string }{
	{"slow", "slow"},
	{",", ""},
	{"latency", "latency"},
	{"latency=50", "latency"},
	{"latency=-1s", "latency"},
	{"latency=11m", "latency"},
	{"spread=-1ms", "spread"},
	{"capacity=x", "capacity"},
	{"capacity=-1", "capacity"},
	{"queue=4", "queue"},
	{"capacity=1,queue=100001", "queue"},
	{"error=1.01", "error"},
	{"error=-0.1", "error"},
	{"error=NaN", "error"},
	{"status=200", "status"},
	{"status=600", "status"},
	{"drip=2m", "drip"},
	{"hang=maybe", "hang"},
	{"hang,hang", "hang"},
	{"hang,reset", "reset"},
	{"garbage,oversize", "oversize"},
	{"huge,bomb", "bomb"},
	{"down,latency=1s", "down"},
	{strings.Repeat("x", 1000), strings.Repeat("x", 32)},
}

func TestParseFaultNamesTheFieldAtFault(t *testing.T) {
	for _, tt := range badFaults {
		f, err := simulator.ParseFault(tt.text)
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != fault.Invalid || e.Field != tt.field {
			t.Errorf("%.40q: got %v, want the field %q", tt.text, err, tt.field)
		}
		_ = f
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]simulator.Options{
		"service": {Faults: map[string]simulator.Fault{"warehouse": {}}},
		"status":  {Faults: map[string]simulator.Fault{"cart": {Status: 99}}},
	}
	for field, o := range tests {
		_, err := simulator.New(o)
		var e *fault.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("got %v, want the field %s", err, field)
		}
	}
	if _, err := simulator.New(simulator.Options{Addresses: map[string]string{"warehouse": "127.0.0.1:0"}}); err == nil {
		t.Error("an address of an unknown service is accepted")
	}
}

func FuzzParseFault(f *testing.F) {
	for _, tt := range badFaults {
		f.Add(tt.text)
	}
	f.Add("latency=50ms,spread=20ms,capacity=1,queue=2,error=0.3,status=503,garbage")
	f.Add("error=1e-300,drip=1ns")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := simulator.ParseFault(text)
		if err != nil {
			return
		}
		again, err := simulator.ParseFault(first.String())
		if err != nil || again != first {
			t.Errorf("%q: %v became %v, %v", text, first, again, err)
		}
	})
}
