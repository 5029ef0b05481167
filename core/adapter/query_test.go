package adapter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
)

type productQuery struct {
	ID       string `query:"productid" check:"id,required"`
	Postcode string `query:"postcode" check:"postcode"`
}

func TestDecode(t *testing.T) {
	long := strings.Repeat("p", 64)
	cases := []struct {
		name, raw string
		want      productQuery
		field     string // at fault; "": none
		detail    string
	}{
		{name: "one", raw: "productid=p-1", want: productQuery{ID: "p-1"}},
		{name: "both, in any order", raw: "postcode=1011AB&productid=p_1", want: productQuery{"p_1", "1011AB"}},
		{name: "the longest", raw: "productid=" + long, want: productQuery{ID: long}},
		{name: "escaped", raw: "product%69d=p%2D1&postcode=1011%20AB", want: productQuery{"p-1", "1011 AB"}},
		{name: "plus is a space", raw: "productid=p-1&postcode=1011+AB", want: productQuery{"p-1", "1011 AB"}},
		{name: "empty and optional", raw: "productid=p-1&postcode=", want: productQuery{ID: "p-1"}},
		{name: "unknown parameters", raw: "utm=%zz&a=b;c&%zz=1&productid=p-1&utm=2&&=", want: productQuery{ID: "p-1"}},
		{name: "another case", raw: "ProductID=p-2&productid=p-1", want: productQuery{ID: "p-1"}},
		{name: "nothing", raw: "", field: "productid", detail: "is required"},
		{name: "missing", raw: "postcode=1011AB", field: "productid", detail: "is required"},
		{name: "empty", raw: "productid=", field: "productid", detail: "is required"},
		{name: "without a value", raw: "productid", field: "productid", detail: "is required"},
		{name: "malformed", raw: "productid=p/1", field: "productid", detail: "must be 1 to 64"},
		{name: "not ASCII", raw: "productid=p%C3%A9", field: "productid", detail: "must be 1 to 64"},
		{name: "a NUL", raw: "productid=p%00", field: "productid", detail: "must be 1 to 64"},
		{name: "an equals sign", raw: "productid=p=1", field: "productid", detail: "must be 1 to 64"},
		{name: "too long", raw: "productid=" + long + "p", field: "productid", detail: "must be 1 to 64"},
		{name: "bad escape", raw: "productid=p%2", field: "productid", detail: "percent-encoded"},
		{name: "twice", raw: "productid=p-1&productid=p-1", field: "productid", detail: "more than once"},
		{name: "twice, once empty", raw: "productid=&productid=p-1", field: "productid", detail: "more than once"},
		{name: "twice, once escaped", raw: "productid=p-1&%70roductid=p-2", field: "productid", detail: "more than once"},
		{name: "a bad postcode", raw: "productid=p-1&postcode=-1", field: "postcode", detail: "must be 2 to 10"},
		{name: "a short postcode", raw: "productid=p-1&postcode=1", field: "postcode", detail: "must be 2 to 10"},
		{name: "a long postcode", raw: "productid=p-1&postcode=12345678901", field: "postcode", detail: "must be 2 to 10"},
	}
	query, err := adapter.NewQuery[productQuery]()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := query.Decode(c.raw)
			if c.field == "" {
				if err != nil || got != c.want {
					t.Errorf("%q is %+v, %v; want %+v", c.raw, got, err, c.want)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != c.field || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("%q: the error is %v, want %s: %s", c.raw, err, c.field, c.detail)
			}
		})
	}
}

func TestNewQueryNamesWhatIsWrong(t *testing.T) {
	cases := []struct {
		name string
		make func() error
		want []string // in the error
	}{
		{"not a struct", making[string](), []string{"string is not a struct"}},
		{"too many fields", making[wide](), []string{"more than 64 fields"}},
		{"a number", making[struct {
			N int `query:"n" check:"id"`
		}](), []string{".N: must be an exported string"}},
		{"unexported", making[struct {
			n string `query:"n" check:"id"` //nolint:unused // it is what the case is about
		}](), []string{".n: must be an exported string"}},
		{"no parameter", making[struct {
			A string `check:"id"`
		}](), []string{`.A: has no tag query:"name"`}},
		{"no check", making[struct {
			A string `query:"a" check:"required"`
		}](), []string{".A: has no check on its content"}},
		{"an unknown check", making[struct {
			A string `query:"a" check:"id,digits"`
		}](), []string{`.A: unknown check "digits"`}},
		{"a shared parameter", making[struct {
			A string `query:"a" check:"id"`
			B string `query:"a" check:"id"`
		}](), []string{`.B: two fields read the parameter "a"`}},
		{"two faults", making[struct {
			A int    `query:"a" check:"id"`
			B string `query:"b" check:"no"`
		}](), []string{".A: must be", `.B: unknown check "no"`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.make()
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}
}

// wide has one field too many.
type wide struct {
	A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, B0, B1, B2, B3, B4, B5, B6, B7, B8, B9 string
	C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, D0, D1, D2, D3, D4, D5, D6, D7, D8, D9 string
	E0, E1, E2, E3, E4, E5, E6, E7, E8, E9, F0, F1, F2, F3, F4, F5, F6, F7, F8, F9 string
	G0, G1, G2, G3, G4                                                             string
}

func making[Q any]() func() error {
	return func() error {
		_, err := adapter.NewQuery[Q]()
		return err
	}
}

func TestValidID(t *testing.T) {
	for text, want := range map[string]bool{
		"p-1042": true, "A_z-9": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a/b": false, "é": false, "a\x00": false,
	} {
		if got := adapter.ValidID(text); got != want {
			t.Errorf("ValidID(%q) is %v", text, got)
		}
	}
}

// FuzzDecode: whatever comes, a query that is accepted holds what its checks say,
// and a refusal names a parameter.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "productid=p-1", "productid=p-1&postcode=1011+AB", "productid=%zz", "productid=a&productid=b", "%zz=1&&=&productid",
		"productid=" + strings.Repeat("x", 1000), "productid=p%00&postcode=\xff",
	} {
		f.Add(seed)
	}
	query, err := adapter.NewQuery[productQuery]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := query.Decode(raw)
		if err == nil {
			if !adapter.ValidID(got.ID) || len(got.Postcode) > 10 || strings.ContainsAny(got.Postcode, "\r\n&=/%") {
				t.Errorf("%q is accepted as %+q", raw, got)
			}
			return
		}
		var refusal *fault.Error
		if !errors.As(err, &refusal) || refusal.Code != fault.Invalid || refusal.Field == "" || refusal.Detail == "" {
			t.Errorf("%q: the error is %v", raw, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	query, err := adapter.NewQuery[productQuery]()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := query.Decode("productid=p-1042&postcode=1011AB"); err != nil {
			b.Fatal(err)
		}
	}
}
