package adapters_test

import (
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// homes is what a home page may have, of whichever version.
type homes struct {
	Focus     string
	Billboard struct{ ID string }
	Rows      []struct {
		Title   string
		Posters []struct{ ID string }
	}
	Grid [][]struct{ ID, Why string }
}

// TestHomesOfUntidyRows: recommendations that say a thing twice, or of nothing that
// is sold, as those of the simulator never do.
func TestHomesOfUntidyRows(t *testing.T) {
	cases := []struct{ name, rows, grid, wall string }{
		{
			"in two rows", `{"title": "A", "product_ids": ["p-1042", "p-9", "p-1007"]}, {"title": "B", "product_ids": ["p-1060", "p-1042"]}`,
			"p-1042 A + p-1060 B; p-9 A + p-1007 A; ", "p-1042 above A: p-9 p-1007; B: p-1060; from p-1042",
		},
		{
			"twice in one", `{"title": "A", "product_ids": ["p-9", "p-9", "p-1042"]}`,
			"p-9 A + p-1042 A; ", "p-9 above A: p-1042; from p-9",
		},
		{
			"the first is sold no more", `{"title": "A", "product_ids": ["p-0", "p-9"]}, {"title": "B", "product_ids": ["p-0", "p-0"]}`,
			"p-9 A; ", " above A: p-9; from p-9",
		},
		{"a row of nothing", `{"title": "A", "product_ids": []}, {"title": "B", "product_ids": ["p-9"]}`, "p-9 B; ", "p-9 above from p-9"},
		{"no rows", ``, "", " above from "},
	}
	var said atomic.Value
	stranger := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, said.Load().(string)) // the client may be gone
	}))
	t.Cleanup(stranger.Close)
	s := openWith(t, map[string]string{"recommendations": stranger.URL})
	for _, c := range cases {
		said.Store(`{"rows": [` + c.rows + `]}`)
		phone, tv := s.homeOf(t, "phone", "v2"), s.homeOf(t, "tv", "v2")
		if got := phone.grid(); got != c.grid {
			t.Errorf("%s: the grid of phone/v2 is %q, want %q", c.name, got, c.grid)
		}
		if got := tv.wall(); got != c.wall {
			t.Errorf("%s: the wall of tv/v2 is %q, want %q", c.name, got, c.wall)
		}
	}
}

func (s *shop) homeOf(t *testing.T, class devices.Class, name string) (page homes) {
	t.Helper()
	set, err := adapters.All(s.services)
	must(t, err)
	endpoint, _ := set.Find(class, name).Endpoint("/home")
	ctx, scope := stream.Open(t.Context(), report.New("test", report.NewTrace()))
	defer scope.Close()
	answer, err := endpoint.Serve(ctx, &adapter.Request{Device: profile(t, class), User: ada})
	must(t, err)
	must(t, json.Unmarshal(answer.Body, &page))
	return page
}

func (h homes) grid() string {
	var text strings.Builder
	for _, row := range h.Grid {
		for i, tile := range row {
			if i > 0 {
				text.WriteString(" + ")
			}
			text.WriteString(tile.ID + " " + tile.Why)
		}
		text.WriteString("; ")
	}
	return text.String()
}

func (h homes) wall() string {
	text := h.Billboard.ID + " above "
	for _, row := range h.Rows {
		text += row.Title + ":"
		for _, poster := range row.Posters {
			text += " " + poster.ID
		}
		text += "; "
	}
	return text + "from " + h.Focus
}
