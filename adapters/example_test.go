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
	for _, v := range versions.All() {
		fmt.Println(v, v.Paths())
	}
	// Output:
	// tv/v1 [/productdetails /wishlist /home]
	// phone/v1 [/productdetails /wishlist /home]
	// phone/v2 [/productdetails /wishlist /home]
	// tablet/v1 [/productdetails /wishlist /home]
}
