package http_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/http"
)

func TestTarget(t *testing.T) {
	cases := []struct {
		got  http.Target
		want string
	}{
		{http.Path("/products"), "/products"},
		{http.Path("/products/", "p-1042"), "/products/p-1042"},
		{http.Path("/a/", "b", "c"), "/a/b/c"},
		{http.Path("/a/", "../b?c#d e%2f\r\nä"), "/a/..%2Fb%3Fc%23d%20e%252f%0D%0A%C3%A4"},
		{http.Path("/a/", "."), ""},
		{http.Path("/a/", "b", ".."), ""},
		{http.Path("/a/", ""), ""},
		{http.Path("/a/", "").Query("x", "y"), ""},
		{http.Path("/p").Query("ids", "a,b"), "/p?ids=a,b"},
		{http.Path("/p").Query("q", "a&b=c d+e").Query("n", ""), "/p?q=a%26b%3Dc%20d%2Be&n="},
	}
	for _, c := range cases {
		if c.got.String() != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("p-1", "a,b")
	f.Add("..", "\x00\r\n%")
	f.Fuzz(func(t *testing.T, segment, value string) {
		target := http.Path("/p/", segment).Query("q", value)
		if target == "" {
			if segment != "" && segment != "." && segment != ".." {
				t.Errorf("no target of %q", segment)
			}
			return
		}
		u, err := url.ParseRequestURI(target.String())
		if err != nil {
			t.Fatal(err)
		}
		if u.Path != "/p/"+segment || strings.Count(u.EscapedPath(), "/") != 2 || u.Query().Get("q") != value {
			t.Errorf("%q, %q became %q", segment, value, target)
		}
	})
}

func ExampleTarget() {
	fmt.Println(http.Path("/products/", "p-1042"))
	fmt.Println(http.Path("/reviews").Query("product", "p-1042").Query("limit", "10"))
	// Output:
	// /products/p-1042
	// /reviews?product=p-1042&limit=10
}
