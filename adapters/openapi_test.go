package adapters_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/openapi"
	"github.com/facet-gateway/facet/core/openapi/validate"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// documentOf returns what pages of a version are held to.
func documentOf(t *testing.T, v *adapter.Version) *validate.Document {
	t.Helper()
	described, err := openapi.New(v, openapi.Options{Header: "X-Device-Type", Class: v.Class})
	must(t, err)
	d, err := validate.New(described.JSON())
	must(t, err)
	return d
}

// TestGoldenPagesFitTheirDocuments finds the files beside each version, and the page
// by the first word of a file's name.
func TestGoldenPagesFitTheirDocuments(t *testing.T) {
	set, err := adapters.All(services.Declare())
	must(t, err)
	for _, v := range set.All() {
		folder := string(v.Class)
		if first := set.Names()[v.Class][0]; v.Name != first {
			folder = filepath.Join(folder, v.Name)
		}
		files, err := filepath.Glob(filepath.Join(folder, "testdata", "*.json"))
		must(t, err)
		if v.Base == "" && len(files) < len(v.Paths()) {
			t.Errorf("%s: there are %d golden files", v, len(files))
		}
		d := documentOf(t, v)
		for _, file := range files {
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), "-")
			if err := goldenPage(t, file, d, "/"+strings.ReplaceAll(name, ".", "/")); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// goldenPage holds what a file has to a document; one of a problem has no page.
func goldenPage(t *testing.T, file string, d *validate.Document, path string) error {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var golden struct {
		Page    json.RawMessage `json:"page"`
		Problem json.RawMessage `json:"problem"`
	}
	must(t, json.Unmarshal(text, &golden))
	if golden.Problem != nil {
		return nil
	}
	return d.Page(path, golden.Page)
}

// TestPagesFitTheirDocuments makes every page of every version: for a user and for
// nobody, on its own screen and one with no room, with each service taken away once.
func TestPagesFitTheirDocuments(t *testing.T) {
	s := open(t)
	s.configure(t, func(p *command.Policy) { p.Cache = command.Cache{} }) // or copies of earlier pages stand in
	set, err := adapters.All(s.services)
	must(t, err)
	for _, v := range set.All() {
		d := documentOf(t, v)
		made := map[string]int{}
		for _, down := range append([]string{""}, services.Names()...) {
			s.ClearFaults()
			if down != "" {
				must(t, s.SetFault(down, simulator.Fault{Status: refusing}))
			}
			for _, path := range v.Paths() {
				made[path] += s.hold(t, d, v, path, down)
			}
		}
		for _, path := range shopPages {
			if _, has := v.Endpoint(path); has && made[path] < len(services.Names()) {
				t.Errorf("%s%s: only %d pages were made", v, path, made[path])
			}
		}
	}
}

// hold makes a page for all who ask, and returns how many came.
func (s *shop) hold(t *testing.T, d *validate.Document, v *adapter.Version, path, down string) (pages int) {
	t.Helper()
	own := profile(t, v.Class)
	tiny := &devices.Profile{Class: v.Class, HeroWidth: 64, ThumbWidth: 16, ImageFormat: "avif", Columns: 1}
	e, _ := v.Endpoint(path)
	for _, screen := range []*devices.Profile{own, tiny} {
		for _, user := range []string{ada, ""} {
			ctx, scope := stream.Open(t.Context(), report.New("test", report.NewTrace()))
			answer, err := e.Serve(ctx, &adapter.Request{Device: screen, User: user, RawQuery: tent})
			scope.Close()
			if err != nil {
				continue // a problem is no page
			}
			pages++
			if err := d.Page(path, answer.Body); err != nil {
				t.Errorf("%s%s for %q without %q: %v\n%s", v, path, user, down, err, answer.Body)
			}
		}
	}
	return pages
}

// TestDocumentsNoticeFaults proves that pages can fail to fit.
func TestDocumentsNoticeFaults(t *testing.T) {
	s := open(t)
	d := documentOf(t, s.versions[devices.Phone])
	body, _, err := s.page(t, devices.Phone, ada, tent)
	must(t, err)
	faults := map[string]func(map[string]any){
		"missing property":    func(page map[string]any) { delete(page, "title") },
		"additional":          func(page map[string]any) { page["colour"] = "red" },
		"got string, want":    func(page map[string]any) { page["cart_count"] = "2" },
		"got null, want":      func(page map[string]any) { page["similar"] = nil },
		"value must be one":   func(page map[string]any) { page["availability"] = "perhaps" },
		"is not valid date":   func(page map[string]any) { page["orders"].([]any)[0].(map[string]any)["placed_at"] = "today" },
		"/price":              func(page map[string]any) { page["price"].(map[string]any)["amount"] = 1.5 },
		"at '/rating/average": func(page map[string]any) { page["rating"].(map[string]any)["average"] = "4" },
	}
	for want, spoil := range faults {
		var page map[string]any
		must(t, json.Unmarshal([]byte(body), &page))
		spoil(page)
		spoiled, err := json.Marshal(page)
		must(t, err)
		if err := d.Page("/productdetails", spoiled); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}
