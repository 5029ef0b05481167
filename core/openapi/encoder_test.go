package openapi_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/openapi/validate"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// all has a field of every kind, twice: one that is left out when it is empty.
type all struct {
	whole
	Number    float64           `json:"number"`
	Quoted    int               `json:"quoted,string"`
	State     state             `json:"state"`
	Shout     shout             `json:"shout"`
	Own       *opaque           `json:"own"`
	List      []*named          `json:"list"`
	Lists     [][]int           `json:"lists"`
	Array     [2]*bool          `json:"array"`
	Map       map[string][]int  `json:"map"`
	Pointer   *int              `json:"pointer"`
	Struct    *named            `json:"struct"`
	Time      *time.Time        `json:"time"`
	Tree      tree              `json:"tree"`
	NoNumber  float64           `json:"no_number,omitempty"`
	NoQuoted  *int              `json:"no_quoted,omitempty,string"`
	NoList    []named           `json:"no_list,omitzero"`
	NoMap     map[string]*named `json:"no_map,omitempty"`
	NoPointer **int             `json:"no_pointer,omitempty"`
	NoStruct  *named            `json:"no_struct,omitempty"`
	NoTime    time.Time         `json:"no_time,omitzero"`
}

// filled has something, or something that holds nothing, in every field.
func filled() all {
	one, now, none := 1, time.Date(2026, 11, 22, 12, 0, 0, 5, time.UTC), (*int)(nil)
	return all{
		whole: whole{base: base{ID: "a"}, maybe: &maybe{now}}, Number: 1.5, State: "off", Own: &opaque{},
		List: []*named{nil, {1}}, Lists: [][]int{nil, {}, {1}}, Map: map[string][]int{"a": nil}, Pointer: &one, Struct: &named{}, Time: &now,
		Tree: tree{[]*tree{nil, {}}}, NoNumber: 1, NoQuoted: &one, NoList: []named{}, NoPointer: &none,
		NoMap: map[string]*named{"b": nil}, NoStruct: &named{}, NoTime: now,
	}
}

// TestDescribesWhatIsWritten holds pages of the adapters' own encoder to their document.
func TestDescribesWhatIsWritten(t *testing.T) {
	t.Parallel()
	empty := all{State: "on"}
	for name, value := range map[string]all{"empty": empty, "filled": filled()} {
		page := adapter.Page("/x", func(*adapter.Request, struct{}) stream.Assembly[all] {
			return stream.Assemble(stream.Required("all", stream.Of(value), func(p *all, v all) { *p = v }))
		})
		d, err := validate.New(document(t, page).JSON())
		must(t, err)
		ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
		defer scope.Close()
		answer, err := page.Serve(ctx, &adapter.Request{})
		must(t, err)
		if err := d.Page("/x", answer.Body); err != nil {
			t.Errorf("%s: %v\n%s", name, err, answer.Body)
		}
	}
}
