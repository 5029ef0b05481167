package thrift_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/fault"
)

func TestNewRefuses(t *testing.T) {
	one := []string{"thrift://127.0.0.1:1"}
	type row struct {
		field   string
		options thrift.Options
	}
	cases := []row{
		{"service", thrift.Options{Instances: one}},
		{"max_message", thrift.Options{Service: "s", Instances: one, MaxMessage: -1}},
		{"max_message", thrift.Options{Service: "s", Instances: one, MaxMessage: 1<<30 + 1}},
		{"max_conns", thrift.Options{Service: "s", Instances: one, MaxConns: -1}},
		{"idle_timeout", thrift.Options{Service: "s", Instances: one, IdleTimeout: -1}},
		{"dial_timeout", thrift.Options{Service: "s", Instances: one, DialTimeout: -1}},
		{"instances", thrift.Options{Service: "s", Instances: []string{one[0], one[0]}}},
	}
	for _, base := range []string{
		"", "127.0.0.1:1", "http://h:1", "thrifts://h:1", "THRIFT://h:1", "thrift://", "thrift://:80", "thrift:///p", "thrift://u:hunter2@h:1",
		"thrift://h",
		"thrift://h:1/", "thrift://h:1/p", "thrift://h:1?", "thrift://h:1?a=b", "thrift://h:1#", "thrift://h:1#f", "thrift://h:x", "thrift://h:0",
		"thrift://h:65536", "thrift://h h:1", "thrift://h:1\r\n", "thrift://u:hunter2@h:x", "thrift:h:1",
	} {
		cases = append(cases, row{"instances[1]", thrift.Options{Service: "s", Instances: []string{"thrift://127.0.0.1:1", base}}})
	}
	for _, c := range cases {
		_, err := thrift.New(c.options)
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != c.field || f.Code != fault.Invalid || f.Detail == "" {
			t.Errorf("%+v: got %v, want a fault of %s", c.options, err, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
}

func TestNewTakes(t *testing.T) {
	for _, base := range []string{"thrift://h:1", "thrift://127.0.0.1:65535", "thrift://[::1]:7", "thrift://orders.shop.example:9090"} {
		newClient(t, thrift.Options{Instances: []string{base}})
	}
}
