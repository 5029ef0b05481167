package adapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// page is what these tests show: its fields are set by setters.
type page struct {
	ID   string         `json:"id"`
	Text string         `json:"text,omitempty"`
	More map[string]int `json:"more,omitempty"`
}

func setID(p *page, id string) { p.ID = id }

// showID is a page function of one part.
func showID(_ *adapter.Request, q productQuery) stream.Assembly[page] {
	return stream.Assemble(stream.Required("id", stream.Of(q.ID), setID))
}

func TestNew(t *testing.T) {
	v, err := adapter.New("watch", "v12", adapter.Page("/productdetails", showID), adapter.Page("/a/b_2", showID))
	if err != nil {
		t.Fatal(err)
	}
	if v.String() != "watch/v12" || v.Class != "watch" || v.Name != "v12" {
		t.Errorf("the version is %s, of class %s and name %s", v, v.Class, v.Name)
	}
	if got := strings.Join(v.Paths(), " "); got != "/productdetails /a/b_2" {
		t.Errorf("the paths are %s", got)
	}
	v.Paths()[0] = "/changed"
	e, ok := v.Endpoint("/productdetails")
	if !ok || e.Path != "/productdetails" || e.Name() != "productdetails" {
		t.Errorf("the endpoint is %q, called %q, %v", e.Path, e.Name(), ok)
	}
	for _, path := range []string{"", "/", "productdetails", "/productdetails/", "/changed"} {
		if _, ok := v.Endpoint(path); ok {
			t.Errorf("there is an endpoint at %q", path)
		}
	}
	if v.Paths()[0] != "/productdetails" {
		t.Error("who reads the paths can change them")
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	good := adapter.Page("/good", showID)
	cases := []struct {
		name      string
		version   string
		endpoints []adapter.Endpoint
		want      []string // in the error
	}{
		{"no name", "", nil, []string{`the name "" is not of the form v1`}},
		{"another name", "version1", nil, []string{"not of the form v1"}},
		{"a long name", "v12345", nil, []string{"not of the form v1"}},
		{"a path twice", "v1", []adapter.Endpoint{good, good}, []string{"/good: two endpoints have this path"}},
		{"the zero endpoint", "v1", []adapter.Endpoint{{}}, []string{"a path is of the form /name"}},
		{"a path without a page", "v1", []adapter.Endpoint{{Path: "/good"}}, []string{"a path is of the form /name"}},
		{"no path", "v1", []adapter.Endpoint{adapter.Page("", showID)}, []string{"a path is of the form /name"}},
		{"a relative path", "v1", []adapter.Endpoint{adapter.Page("good", showID)}, []string{`"good": a path`}},
		{"a path with a slash at its end", "v1", []adapter.Endpoint{adapter.Page("/good/", showID)}, []string{`"/good/": a path`}},
		{"a path with capitals", "v1", []adapter.Endpoint{adapter.Page("/Good", showID)}, []string{`"/Good": a path`}},
		{"a query that is no struct", "v1", []adapter.Endpoint{pageOf[int, page]()}, []string{"/x: ", "int is not a struct"}},
		{"a query with an unknown check", "v1", []adapter.Endpoint{pageOf[struct {
			A string `query:"a" check:"no"`
		}, page]()}, []string{`unknown check "no"`}},
		{"a page that is a function", "v1", []adapter.Endpoint{pageOf[productQuery, func()]()}, []string{"/x: the page type func()"}},
		{"a page that holds a channel", "v1", []adapter.Endpoint{pageOf[productQuery, struct{ C chan int }]()}, []string{"the page type struct"}},
		{"a page that panics", "v1", []adapter.Endpoint{pageOf[productQuery, panicky]()}, []string{"the page type", "panic"}},
		{"three faults", "1", []adapter.Endpoint{good, good, {}}, []string{"the name", "two endpoints", "a path is"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := adapter.New("watch", c.version, c.endpoints...)
			if err == nil || v != nil {
				t.Fatalf("it is accepted: %v, %v", v, err)
			}
			for _, want := range append(c.want, "adapter watch/"+c.version) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}
}

// pageOf is a page of any types, for those that cannot work.
func pageOf[Q, P any]() adapter.Endpoint {
	return adapter.Page("/x", func(*adapter.Request, Q) stream.Assembly[P] { return stream.Assembly[P]{} })
}

// panicky is a page whose encoder panics.
type panicky struct{}

func (panicky) MarshalJSON() ([]byte, error) { panic("no") }

// fickle can be encoded while it is empty.
type fickle struct {
	Any any `json:"any"`
}

func TestServe(t *testing.T) {
	none := func(*page, string) { panic("set") }
	cases := []struct {
		name   string
		page   adapter.Endpoint
		want   string
		code   fault.Code
		reason fault.Reason
	}{
		{name: "a page", page: adapter.Page("/x", showID), want: `{"id":"p-1"}`},
		{name: "one that panics", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[page] {
			panic("declared")
		}), code: fault.Internal, reason: fault.ReasonPanic},
		{name: "a setter that panics", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[page] {
			return stream.Assemble(stream.Required("id", stream.Of("a"), none))
		}), code: fault.Internal, reason: fault.ReasonPanic},
		{name: "an optional setter that panics", page: adapter.Page("/x", func(_ *adapter.Request, q productQuery) stream.Assembly[page] {
			return stream.Assemble(stream.Required("id", stream.Of(q.ID), setID), stream.Optional("more", stream.Of("a"), none))
		}), want: `{"id":"p-1"}`},
		{name: "a part that fails", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[page] {
			gone := stream.Fail[string](fault.Because(fault.ReasonOpen, errors.New("open")))
			return stream.Assemble(stream.Required("id", gone, setID))
		}), code: fault.Unavailable, reason: fault.ReasonOpen},
		{name: "a part without a name", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[page] {
			return stream.Assemble(stream.Required("", stream.Of("a"), setID))
		}), code: fault.Internal, reason: fault.ReasonError},
		{name: "one that cannot be encoded", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[fickle] {
			set := func(p *fickle, _ string) { p.Any = make(chan int) }
			return stream.Assemble(stream.Required("id", stream.Of("a"), set))
		}), code: fault.Internal, reason: fault.ReasonError},
		{name: "one whose encoder panics", page: adapter.Page("/x", func(*adapter.Request, productQuery) stream.Assembly[fickle] {
			set := func(p *fickle, _ string) { p.Any = panicky{} }
			return stream.Assemble(stream.Required("id", stream.Of("a"), set))
		}), code: fault.Internal},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer, _, err := serve(t, c.page, "productid=p-1")
			if c.code == fault.OK {
				if err != nil || string(answer.Body) != c.want || answer.ContentType != "application/json" {
					t.Errorf("it answers %s of type %s, %v; want %s", answer.Body, answer.ContentType, err, c.want)
				}
				return
			}
			if fault.CodeOf(err) != c.code || c.reason != fault.None && fault.ReasonOf(err) != c.reason || answer.Body != nil {
				t.Errorf("it answers %q and the error %v; want %v because of %v", answer.Body, err, c.code, c.reason)
			}
		})
	}
}

func TestServeRefusesABadQuery(t *testing.T) {
	called := false
	e := adapter.Page("/x", func(_ *adapter.Request, q productQuery) stream.Assembly[page] {
		called = true
		return showID(nil, q)
	})
	_, r, err := serve(t, e, "productid=..")
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != "productid" {
		t.Errorf("the error is %v", err)
	}
	if called || len(r.Parts) != 0 {
		t.Error("the page has run")
	}
}

// TestServeHandsOnTheRequest: a page sees the device, the user and its query.
func TestServeHandsOnTheRequest(t *testing.T) {
	e := adapter.Page("/x", func(r *adapter.Request, q productQuery) stream.Assembly[page] {
		return stream.Assemble(stream.Required("id", stream.Of(string(r.Device.Class)+" "+r.User+" "+q.ID), setID))
	})
	answer, _, err := serve(t, e, "productid=p-1")
	if err != nil || string(answer.Body) != `{"id":"watch u-7 p-1"}` {
		t.Errorf("it answers %s, %v", answer.Body, err)
	}
}

// TestEqualPagesAreEqualBytes: an entity tag depends on it.
func TestEqualPagesAreEqualBytes(t *testing.T) {
	const text = "<b> & \u2028 \u00e9 \xff"
	e := adapter.Page("/x", func(_ *adapter.Request, q productQuery) stream.Assembly[page] {
		return stream.Assemble(stream.Required("id", stream.Of(q.ID), func(p *page, id string) {
			*p = page{id, text, map[string]int{"d": 4, "a": 1, "c": 3, "b": 2}}
		}))
	})
	first, _, err := serve(t, e, "productid=p-1")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _, err := serve(t, e, "productid=p-1"); err != nil || string(again.Body) != string(first.Body) {
			t.Fatalf("the same page is %s and %s, %v", first.Body, again.Body, err)
		}
	}
	var decoded page
	if err := json.Unmarshal(first.Body, &decoded); err != nil || decoded.Text != strings.ToValidUTF8(text, "\ufffd") {
		t.Errorf("the page reads %q, %v", decoded.Text, err)
	}
}

// serve asks an endpoint, as the server does.
func serve(t *testing.T, e adapter.Endpoint, query string) (adapter.Answer, *report.Report, error) {
	t.Helper()
	r := report.New("test", report.NewTrace())
	ctx, scope := stream.Open(context.Background(), r)
	defer scope.Close()
	watch := &devices.Profile{Class: "watch"}
	answer, err := e.Serve(ctx, &adapter.Request{Device: watch, User: "u-7", RawQuery: query})
	return answer, r, err
}
