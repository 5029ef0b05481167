package services_test

import (
	"fmt"

	"github.com/facet-gateway/facet/adapters/services"
)

// A setter shows what it makes of an answer: here the first two images, as large
// as the screen wants them.
func ExampleTake() {
	product := services.Product{Images: []services.Image{{URL: "/img/p-9/1"}, {URL: "/img/p-9/2"}, {URL: "/img/p-9/3"}}}
	shown := services.Take(2, product.Images, func(i services.Image) string { return i.At(480, "webp") })
	for _, address := range shown {
		fmt.Println(address)
	}
	// Output:
	// /img/p-9/1?w=480&fmt=webp
	// /img/p-9/2?w=480&fmt=webp
}

func ExampleStock_Availability() {
	for _, s := range []services.Stock{{Available: 40}, {Available: 3, Low: true}, {}} {
		fmt.Println(s.Availability())
	}
	// Output:
	// in_stock
	// low
	// sold_out
}
