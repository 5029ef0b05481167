package openapi_test

import (
	"encoding/json"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/core/stream"
)

type (
	stockEvent struct {
		Left int `json:"left"`
	}
	wordEvent struct {
		Word string `json:"word"`
	}
)

func liveOf[E any](path string) adapter.Endpoint {
	return adapter.Live(path,
		func(*adapter.Request, query) stream.Feed[int] { return stream.Feed[int]{} }, func(int) (e E) { return e })
}

func TestLiveEndpointsAreDescribed(t *testing.T) {
	t.Parallel()
	d := document(t, pageOf[named]("/x"), liveOf[stockEvent]("/live/stock"))
	if _, err := openapi.Read(d.JSON()); err != nil {
		t.Errorf("it cannot be read: %v", err)
	}
	var told struct {
		Paths map[string]struct {
			Get struct {
				ID         string `json:"operationId"`
				Parameters []struct{ Name, In, Ref string }
				Responses  map[string]struct {
					Content map[string]struct {
						Schema struct {
							Ref string `json:"$ref"`
						}
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(d.JSON(), &told); err != nil {
		t.Fatal(err)
	}
	get := told.Paths["/live/stock"].Get
	if get.ID != "live_stock" || told.Components.Schemas["StockEvent"].Properties["left"] == nil ||
		get.Responses["200"].Content["text/event-stream"].Schema.Ref != "#/components/schemas/StockEvent" {
		t.Errorf("%+v", get)
	}
	for _, status := range []string{"101", "200", "400", "403", "404", "429", "503"} {
		if _, has := get.Responses[status]; !has {
			t.Errorf("there is no %s", status)
		}
	}
	if _, has := told.Paths["/x"].Get.Responses["429"]; has {
		t.Error("a page can be limited")
	}
	var names string
	for _, p := range get.Parameters {
		names += p.Name + " "
	}
	if names != "productid postcode device after Last-Event-ID   " { // two are shared
		t.Errorf("parameters %q", names)
	}
}

func TestDiffOfLiveEndpoints(t *testing.T) {
	t.Parallel()
	old, now := document(t, liveOf[stockEvent]("/live/stock")), document(t, liveOf[wordEvent]("/live/stock"))
	changes := openapi.Diff(old, now)
	if len(changes) != 2 || changes[0].String() != "/live/stock: left is gone" || !changes[0].Breaking ||
		changes[1].String() != "/live/stock: word is new" || changes[1].Breaking {
		t.Errorf("%v", changes)
	}
	if changes := openapi.Diff(old, old); len(changes) > 0 {
		t.Errorf("of itself: %v", changes)
	}
}
