package adapters_test

import (
	"encoding/json"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
)

// FuzzForeignAnswers gives one service's client any body at all: a page is then
// a page of the product asked for, or an error that says whose fault it is.
func FuzzForeignAnswers(f *testing.F) {
	seeds := []string{
		"", "null", "{}", "[]", `"text"`, "{", `{"id":`, "\x00", "{}{}", strings.Repeat("[", 20_000), strings.Repeat(`{"id":`, 5000),
		`{"id":"p-1042"}`, `{"id":"p-1","name":"A","price":{"amount":1,"currency":"EUR"}}`,
		`{"id":"p-1042","name":"\ud800","price":{"amount":1,"currency":"EUR"},"images":[{}],"offers":[{},null]}`,
		`{"id":"p-1042","name":"A","price":{"amount":1e400,"currency":"EUR"}}`, `{"user":"u-7","item_count":-1}`,
		`{"summary":{"product_id":"p-1042","average":1e999},"reviews":null}`, `{"product_id":"p-1042","restock_at":"never"}`,
		`{"product_id":"p-1042","available":99999999999999999999}`, `{"options":[{}]}`, `{"options":[{"arrives":"x"},null]}`,
		`{"orders":[{"placed_at":null}]}`, `{"orders":[{"placed_at":"0000-01-01T00:00:00Z"}]}`, `{"also_viewed":[{},{"image":"//"}]}`,
	}
	for _, seed := range seeds {
		for i := range services.Names() {
			f.Add(uint8(i), []byte(seed))
		}
	}
	var body atomic.Pointer[[]byte]
	stranger := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*body.Load()) // the client may be gone
	}))
	f.Cleanup(stranger.Close)
	shops := make([]*shop, len(services.Names()))
	for i, name := range services.Names() {
		shops[i] = openWith(f, map[string]string{name: stranger.URL})
		shops[i].configure(f, func(p *command.Policy) {
			p.Circuit.Consecutive, p.Circuit.Volume, p.Cache = 1_000_000, 1_000_000, command.Cache{}
		})
	}
	f.Fuzz(func(t *testing.T, service uint8, said []byte) {
		body.Store(&said)
		s := shops[int(service)%len(shops)]
		for _, class := range classes {
			text, _, err := s.page(t, class, ada, tent)
			var page struct {
				ID    string `json:"id"`
				Title string `json:"title"`
			}
			switch code := fault.CodeOf(err); {
			case err != nil && code != fault.BadAnswer && code != fault.Unavailable:
				t.Errorf("%s: the error is %v", class, err)
			case err == nil && (json.Unmarshal([]byte(text), &page) != nil || page.ID != "p-1042" || page.Title == ""):
				t.Errorf("%s: it is no page of the product: %s", class, text)
			}
		}
	})
}
