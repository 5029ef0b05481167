package adaptertest_test

import (
	"fmt"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// console prints what a proof finds; the tests of an adapter give it their *testing.T.
type console struct{}

func (c console) Run(name string, f func(console)) bool {
	fmt.Println(name)
	f(c)
	return true
}

func (console) Errorf(format string, args ...any) { fmt.Printf("\t"+format+"\n", args...) }

func (console) Logf(string, ...any) {}

func ExampleProve() {
	type page struct {
		Name string `json:"name"`
		Left int    `json:"left,omitempty"`
	}
	newVersion := func(s *services.Services) (*adapter.Version, error) {
		return adapter.New(devices.Phone, "v1", adapter.Page("/stock", func(*adapter.Request, struct{}) stream.Assembly[page] {
			return stream.Assemble(
				stream.Required("catalog", s.Catalog.Product("p-1042"), func(p *page, found services.Product) { p.Name = found.Name }),
				stream.Optional("inventory", s.Inventory.Stock("p-1042"), func(p *page, s services.Stock) { p.Left = s.Available }),
			)
		}))
	}
	adaptertest.Prove(console{}, adaptertest.Page{
		Version:  []adaptertest.Maker{newVersion},
		Path:     "/stock",
		Required: []string{"catalog", "inventory"},
		Time:     time.Minute,
		Bytes:    100,
	})
	// Output:
	// golden
	// lost
	// 	/stock: without inventory there is a page: Page.Required must not have it
	// stale
	// pure
	// parts
	// budgets
}
