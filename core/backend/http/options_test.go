package http_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

func TestNewRefuses(t *testing.T) {
	one := []string{"http://127.0.0.1:1"}
	cases := []struct {
		field   string
		options http.Options
	}{
		{"service", http.Options{Instances: one}},
		{"max_body", http.Options{Service: "s", Instances: one, MaxBody: -1}},
		{"max_body", http.Options{Service: "s", Instances: one, MaxBody: 1<<30 + 1}},
		{"max_conns", http.Options{Service: "s", Instances: one, MaxConns: -1}},
		{"idle_timeout", http.Options{Service: "s", Instances: one, IdleTimeout: -1}},
		{"dial_timeout", http.Options{Service: "s", Instances: one, DialTimeout: -1}},
	}
	for _, base := range []string{
		"", "127.0.0.1:1", "https://h:1", "ftp://h", "http://", "http://:80", "http:///p", "http://u:hunter2@h:1", "http://h:1?",
		"http://h:1/?a=b",
		"http://h:1#", "http://h:1#f", "http://h:x", "http://h:0", "http://h:65536", "http://h h/", "http://h/a\r\nb", "http://u:hunter2@h:x",
	} {
		cases = append(cases, struct {
			field   string
			options http.Options
		}{"instances[1]", http.Options{Service: "s", Instances: []string{"http://127.0.0.1:1", base}}})
	}
	for _, c := range cases {
		_, err := http.New(c.options)
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != c.field || f.Code != fault.Invalid || f.Detail == "" {
			t.Errorf("%+v: got %v, want a fault of %s", c.options, err, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	address := serve(t, func(net.Conn) { t.Error("a call was made") })
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	for _, target := range []string{"", "p", "/a b", "/a\r\nX: y", "/\x7f", "/ä", "/a#b", "http://other/"} {
		if _, err := http.GetJSON[product](t.Context(), client, target); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%q: got %v", target, err)
		}
	}
}
