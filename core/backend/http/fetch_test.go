package http_test

import (
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

func TestGetTakesAnAnswerAsItCame(t *testing.T) {
	t.Parallel()
	var lines []string
	address := replies(t, func(n int, r *nethttp.Request) (string, bool) {
		lines = append(lines, r.RequestURI+" "+r.Header.Get("X-A")+" "+r.Header.Get("X-B"))
		switch n {
		case 1:
			return okJSON(`{"a": 1 }`, "X-Told: one", "X-Told: two", "X-Other: three"), true
		case 2:
			return strings.Replace(okJSON("not here"), "200 OK", "404 Not Found", 1), true
		}
		return okJSON(`{"b":2}`), true
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address + "/base"}})
	fetch := http.Fetch{Target: "/x?y=z", Header: []http.Header{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}}, Told: "X-Told"}
	first, err := client.Get(t.Context(), fetch)
	if err != nil || first.Status != 200 || string(first.Body) != `{"a": 1 }` ||
		first.ContentType != "application/json" || first.Told != "one, two" {
		t.Errorf("%+v %v", first, err)
	}
	second, err := client.Get(t.Context(), http.Fetch{Target: "/missing"})
	if err != nil || second.Status != 404 || string(second.Body) != "not here" || second.Told != "" {
		t.Errorf("%+v %v", second, err)
	}
	third, err := client.Get(t.Context(), http.Fetch{Target: "/z"})
	if err != nil || string(third.Body) != `{"b":2}` || string(first.Body) != `{"a": 1 }` {
		t.Errorf("%+v %v; the first is now %q", third, err, first.Body)
	}
	if got := strings.Join(lines, "|"); got != "/base/x?y=z 1 2|/base/missing  |/base/z  " { // on one connection
		t.Errorf("it was asked %q", got)
	}
}

func TestGetSendsNoSecondLine(t *testing.T) {
	t.Parallel()
	address := replies(t, func(int, *nethttp.Request) (string, bool) {
		t.Error("a request was sent")
		return okJSON("{}"), false
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	for _, h := range []http.Header{{"X-A", "a\r\nX-Evil: b"}, {"X-A", ""}, {"", "a"}, {"X A", "b"}, {"X-A", "\x00"}, {"X-A\n", "b"}} {
		_, err := client.Get(t.Context(), http.Fetch{Target: "/", Header: []http.Header{h}})
		if fault.CodeOf(err) != fault.Internal {
			t.Errorf("%q: %v", h, err)
		}
	}
}

func TestGetFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw    string
		reason fault.Reason
	}{
		"a defect":      {strings.Replace(okJSON("{}"), "200", "500", 1), fault.ReasonError},
		"busy":          {strings.Replace(okJSON("{}"), "200", "429", 1), fault.ReasonError},
		"a redirect":    {strings.Replace(okJSON("{}"), "200", "301", 1), fault.ReasonInvalid},
		"text":          {strings.Replace(okJSON("{}"), "application/json", "text/plain", 1), fault.ReasonInvalid},
		"broken":        {okJSON(`{"a":`), fault.ReasonInvalid},
		"too large":     {okJSON(`"` + strings.Repeat("x", 2000) + `"`), fault.ReasonInvalid},
		"a large error": {strings.Replace(okJSON(strings.Repeat("x", 2000)), "200", "400", 1), fault.ReasonInvalid},
	} {
		client := newClient(t, http.Options{Instances: []string{"http://" + always(t, c.raw)}, MaxBody: 1000})
		got, err := client.Get(t.Context(), http.Fetch{Target: "/"})
		if fault.ReasonOf(err) != c.reason || got.Body != nil {
			t.Errorf("%s: %v with %+v", name, err, got)
		}
	}
}
