package grpc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/fault"
)

func TestNewRefuses(t *testing.T) {
	one := []string{"grpc://127.0.0.1:1"}
	type row struct {
		field   string
		options grpc.Options
	}
	cases := []row{
		{"service", grpc.Options{Instances: one}},
		{"max_message", grpc.Options{Service: "s", Instances: one, MaxMessage: -1}},
		{"max_message", grpc.Options{Service: "s", Instances: one, MaxMessage: 1<<30 + 1}},
		{"dial_timeout", grpc.Options{Service: "s", Instances: one, DialTimeout: -1}},
		{"instances", grpc.Options{Service: "s", Instances: []string{one[0], one[0]}}},
	}
	for _, base := range []string{
		"", "127.0.0.1:1", "http://h:1", "grpcs://h:1", "GRPC://h:1", "grpc://", "grpc://:80", "grpc:///p", "grpc://u:hunter2@h:1", "grpc://h",
		"grpc://h:1/", "grpc://h:1/p", "grpc://h:1?", "grpc://h:1?a=b", "grpc://h:1#", "grpc://h:1#f", "grpc://h:x", "grpc://h:0",
		"grpc://h:65536", "grpc://h h:1", "grpc://h:1\r\n", "grpc://u:hunter2@h:x", "grpc:h:1",
	} {
		cases = append(cases, row{"instances[1]", grpc.Options{Service: "s", Instances: []string{"grpc://127.0.0.1:1", base}}})
	}
	for _, c := range cases {
		_, err := grpc.New(c.options)
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
	for _, base := range []string{"grpc://h:1", "grpc://127.0.0.1:65535", "grpc://[::1]:7", "grpc://cart.shop.example:50051"} {
		newClient(t, grpc.Options{Instances: []string{base}})
	}
}
