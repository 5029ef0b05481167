package services_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/facet-gateway/facet/adapters/services"
)

func TestImageAt(t *testing.T) {
	cases := []struct{ url, want string }{
		{"/img/p-1/1", "/img/p-1/1?w=480&fmt=webp"},
		{"", ""},
		{"https://img.example/p/1", "https://img.example/p/1?w=480&fmt=webp"},
		{"HTTP://img.example:8080/p/1", "HTTP://img.example:8080/p/1?w=480&fmt=webp"},
		{"//img.example/p/1", "//img.example/p/1?w=480&fmt=webp"},
		{"img/p:1", "img/p:1?w=480&fmt=webp"},
		{"javascript:alert(1)", ""},
		{"java\tscript:alert(1)", ""},
		{" javascript:alert(1)", ""},
		{"data:image/png;base64,AAAA", ""},
		{"https:/p/1", ""},
		{"https://", ""},
		{"https:///p/1", ""},
		{"//", ""},
		{`\\img.example\p`, ""},
		{"/img/p-1/1?w=1", ""},
		{"/img/p-1/1#top", ""},
		{"/img/p 1", ""},
	}
	for _, c := range cases {
		if got := (services.Image{URL: c.url}).At(480, "webp"); got != c.want {
			t.Errorf("the image %q is at %q, want %q", c.url, got, c.want)
		}
		if got := (services.Card{Image: c.url}).ImageAt(480, "webp"); got != c.want {
			t.Errorf("the image of a card %q is at %q, want %q", c.url, got, c.want)
		}
	}
}

func TestAvailability(t *testing.T) {
	cases := []struct {
		stock services.Stock
		want  services.Availability
	}{
		{services.Stock{}, services.SoldOut},
		{services.Stock{Available: -1, Low: true}, services.SoldOut},
		{services.Stock{Available: 1, Low: true}, services.LowOn},
		{services.Stock{Available: 1}, services.InStock},
	}
	for _, c := range cases {
		if got := c.stock.Availability(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.stock, got, c.want)
		}
	}
}

func TestTake(t *testing.T) {
	list := []int{1, 2, 3}
	cases := []struct {
		n    int
		list []int
		want []string
	}{
		{-1, list, []string{}},
		{0, list, []string{}},
		{2, list, []string{"1", "2"}},
		{4, list, []string{"1", "2", "3"}},
		{4, nil, []string{}},
	}
	for _, c := range cases {
		got := services.Take(c.n, c.list, strconv.Itoa)
		if got == nil || !slices.Equal(got, c.want) {
			t.Errorf("the first %d of %v are %#v, want %v", c.n, c.list, got, c.want)
		}
	}
}
