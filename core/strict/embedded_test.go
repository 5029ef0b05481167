package strict_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/strict"
)

type within struct {
	inner
	Level int `json:"level"`
}

func TestDecodeReadsWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	var got within
	if err := strict.Decode([]byte(`{"text": "a", "level": 2, "more": [{"text": "b"}]}`), &got); err != nil {
		t.Fatal(err)
	}
	want := within{inner{Text: "a", More: []inner{{Text: "b"}}}, 2}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(within{})); d != "" {
		t.Error(d)
	}
	for text, field := range map[string]string{`{"inner": {}}`: "inner", `{"text": 1}`: "text", `{"text": "a", "text": "b"}`: "text"} {
		err := strict.Decode([]byte(text), &got)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != field {
			t.Errorf("%s: %v", text, err)
		}
	}
}
