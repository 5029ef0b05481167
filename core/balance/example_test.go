package balance_test

import (
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

// A client calls what a pool picks, and tells how it went. A second attempt of the same
// command goes elsewhere.
func ExamplePool() {
	dial := func(in discovery.Instance) (string, error) { return "connections to " + in.Address, nil }
	pool, err := balance.New(balance.DefaultOptions(), dial, func(string) {})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	if err := pool.Update([]discovery.Instance{{Address: "10.0.0.1:80"}, {Address: "10.0.0.2:80"}}); err != nil {
		fmt.Println(err)
	}
	spread := &report.Spread{}
	for range 3 {
		began := time.Now()
		member, err := pool.Pick(spread)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("by", member.C)
		member.Done(balance.Fault, time.Since(began))
	}
	// Unordered output:
	// by connections to 10.0.0.1:80
	// by connections to 10.0.0.2:80
	// there is no other instance to ask
}
