package openapi_test

import (
	"fmt"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/core/stream"
)

// Ada's watch shows the time; its next version means to show it in another form.
func ExampleDiff() {
	type timePage struct {
		Now   string `json:"now"`
		Alarm string `json:"alarm"`
	}
	type clockPage struct {
		Now   int    `json:"now"`
		Alarm string `json:"alarm,omitempty"`
		Zone  string `json:"zone"`
	}
	old := describedPage[timePage]("v1")
	now := describedPage[clockPage]("v2")
	for _, change := range openapi.Diff(old, now) {
		fmt.Println(change.Breaking, change)
	}
	// Output:
	// true /time: alarm was always there, may now be absent
	// true /time: now: string became integer
	// false /time: zone is new
}

// describedPage is the document of a version with one page.
func describedPage[P any](version string) *openapi.Document {
	page := adapter.Page("/time", func(*adapter.Request, struct{}) stream.Assembly[P] { return stream.Assembly[P]{} })
	v, err := adapter.New("watch", version, page)
	if err != nil {
		panic(err)
	}
	d, err := openapi.New(v, openapi.Options{Header: "X-Device-Type", Class: v.Class})
	if err != nil {
		panic(err)
	}
	return d
}
