package config_test

import (
	"errors"
	"testing"

	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/fault"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	c, err := config.Parse("facet.yaml", []byte(`listen: 127.0.0.1:1
services:
  catalog:
    instances:
      - http://127.0.0.1:2
      - http://127.0.0.1:3
  cart: {instances: ["http://127.0.0.1:4"]}
static:
  "/a": {file: nowhere}
`), known())
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("it is gone")
	for _, tc := range []struct {
		err  error
		keys []string
		want string
	}{
		{gone, []string{"listen"}, "facet.yaml:1:9: listen: it is gone"},
		{gone, []string{"services", "catalog"}, "facet.yaml:3:3: services.catalog: it is gone"},
		{fault.InvalidField("instances[1]", "is bad"), []string{"services", "catalog"}, "facet.yaml:6:9: services.catalog.instances[1]: is bad"},
		{fault.InvalidField("instances[7]", "is bad"), []string{"services", "catalog"}, "facet.yaml:4:5: services.catalog.instances: is bad"},
		{fault.InvalidField("a.b", "is bad"), []string{"services", "catalog"}, "facet.yaml:3:3: services.catalog.a.b: is bad"},
		{gone, []string{"static", "/a", "file"}, `facet.yaml:9:16: static."/a".file: it is gone`},
		{gone, []string{"rollout", "file"}, "facet.yaml:1:1: rollout.file: it is gone"},
	} {
		if got := c.Locate(tc.err, tc.keys...).Error(); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.keys, got, tc.want)
		}
	}
}
