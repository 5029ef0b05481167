package config_test

import (
	"fmt"
	"strings"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
)

func ExampleParse() {
	known := config.Known{
		Services: map[string]map[string]command.Policy{"catalog": {"product": command.DefaultPolicy()}},
		Pages:    []string{"productdetails"},
	}
	good := `
services:
  catalog:
    instances: [http://127.0.0.1:9001]
    commands:
      product: {timeout: 250ms}
`
	c, err := config.Parse("facet.yaml", []byte(good), known)
	if err != nil {
		fmt.Println(err)
		return
	}
	product := c.Services["catalog"].Commands["product"]
	fmt.Println(c.Listen, product.Timeout, product.MaxConcurrent)

	bad := `
services:
  catalog:
    instances: [http://127.0.0.1]
    commands:
      product: {timout: 300ms}
pages:
  productdetails: {budget: 800}
`
	_, err = config.Parse("facet.yaml", []byte(bad), known)
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", "\n  "))
	// Output:
	// 127.0.0.1:8080 250ms 100
	// facet.yaml:4:17: services.catalog.instances[0]: "http://127.0.0.1" has no valid port
	//   allowed: http://HOST:PORT, with a path if it has one
	// facet.yaml:6:17: services.catalog.commands.product.timout: unknown field, did you mean "timeout"?
	//   allowed: attempt_timeout, batch_window, cache, circuit, coalesce, hedge, max_concurrent, mode, retry, timeout
	// facet.yaml:8:28: pages.productdetails.budget: missing unit after "800"
	//   allowed: a number and a unit (ms, s, m, h), such as 300ms
}
