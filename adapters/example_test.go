package adapters_test

import (
	"fmt"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

func ExampleAll() {
	versions, err := adapters.All(services.Declare())
	if err != nil {
		fmt.Println(err)
		return
	}
	v := versions.Find(devices.Phone, "v2")
	_, has := v.Endpoint("/home") // of the version that it builds on
	fmt.Println(v, "on", v.Base, has)
	// Output: phone/v2 on v1 true
}
