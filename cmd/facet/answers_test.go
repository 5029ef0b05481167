package main_test

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/openapi/validate"
)

// TestAnswersFitTheirDocument gets each answer that a phone can from the real
// program, headers and problems included.
func TestAnswersFitTheirDocument(t *testing.T) {
	t.Parallel()
	p, gateway, faults := demo(t)
	d, err := validate.New([]byte(get(t, p.announced("admin")+"/openapi/phone.json").body))
	if err != nil {
		t.Fatal(err)
	}
	const product = "/productdetails"
	etag := whole(t, gateway, "phone", "p-1042").header.Get("ETag")
	cases := []struct {
		method, path, query string
		status              int
		fault               string // of the catalog
		headers             []string
	}{
		{"GET", product, "productid=p-1042", 200, "", nil},
		{"GET", product, "productid=p-1042", 304, "", []string{"If-None-Match", etag, "X-User-Id", "u-7"}},
		{"GET", "/home", "", 200, "", nil},
		{"GET", "/wishlist", "", 200, "", []string{"X-User-Id", "u-7"}},
		{"GET", "/wishlist", "", 401, "", nil},
		{"GET", product, "productid=a/b", 400, "", nil},
		{"GET", product, "productid=p-0", 404, "", nil},
		{"DELETE", product, "", 405, "", nil},
		{"GET", product, "productid=p-1042", 431, "", many(1000)},
		{"GET", product, "productid=unseen-1", 502, "garbage", nil},
		{"GET", product, "productid=unseen-2", 504, "hang", nil},
		{"GET", product, "productid=unseen-3", 503, "status=503", nil},
	}
	for _, c := range cases {
		breakService(t, faults, "catalog", cmp.Or(c.fault, "none"))
		headers := append([]string{"X-Device-Type", "phone"}, c.headers...)
		var a answer
		eventually(t, c.path+" with the status "+http.StatusText(c.status), func() bool {
			a, err = send(t, c.method, gateway+c.path+"?"+c.query, "", headers...)
			return err == nil && a.status == c.status
		})
		if err := d.Answer(c.path, a.status, a.header, []byte(a.body)); err != nil {
			t.Errorf("%d: %v\n%s", c.status, err, a.body)
		}
	}
	breakService(t, faults, "catalog", "none")
	for _, fault := range []string{"missing properties", "there is no ETag"} {
		a := whole(t, gateway, "tv", "p-1042") // which is no page of a phone
		if strings.Contains(fault, "ETag") {
			a.header.Del("ETag")
		}
		if err := d.Answer(product, a.status, a.header, []byte(a.body)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%v, want %q", err, fault)
		}
	}
}

// many returns so many pairs of header fields and values.
func many(n int) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, "X-Many-"+strconv.Itoa(i), "x")
	}
	return pairs
}
