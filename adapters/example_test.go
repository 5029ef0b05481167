package adapters_test

import (
	"fmt"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/services"
)

func ExampleAll() {
	versions, err := adapters.All(services.Declare())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range versions {
		fmt.Println(v, v.Paths())
	}
	// Output:
	// tv/v1 [/productdetails]
	// phone/v1 [/productdetails]
	// tablet/v1 [/productdetails]
}
