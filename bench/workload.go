package main

import (
	"fmt"
	"net/http"
	"net/url"
)

// workload is a page that the programs are asked for.
type workload struct {
	page, device string
	services     []string // that one page asks, each once
	path         func(o options, product string) string
}

// workloads are what both programs can serve.
func workloads() map[string]workload {
	return map[string]workload{
		"productdetails": {
			page: "/productdetails", device: "phone",
			services: []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations"},
			path: func(o options, product string) string {
				return "/productdetails?productid=" + product + "&postcode=" + url.QueryEscape(o.postcode)
			},
		},
		"home": {
			page: "/home", device: "tv", // 8 rows of 20 products
			services: []string{"recommendations", "catalog", "reviews", "inventory", "cart", "profiles"},
			path:     func(options, string) string { return "/home" },
		},
	}
}

func (w workload) header(o options) http.Header {
	return http.Header{"X-Device-Type": {w.device}, "X-User-Id": {o.user}}
}

// paths are those of all products, each once.
func (w workload) paths(o options, products []string) []string {
	var paths []string
	for _, id := range products {
		if path := w.path(o, id); len(paths) == 0 || paths[len(paths)-1] != path {
			paths = append(paths, path)
		}
	}
	return paths
}

func (w workload) title() string { return fmt.Sprintf("`%s` for a %s", w.page, w.device) }
