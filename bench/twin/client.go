package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// backend reads JSON from the shop's services. One transport is shared by all
// calls, with room for every idle connection that the load needs.
type backend struct {
	client *http.Client
	urls   map[string]string // by service
}

var errNotFound = errors.New("not found")

func newBackend(urls map[string]string) *backend {
	transport := &http.Transport{
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
	return &backend{client: &http.Client{Transport: transport}, urls: urls}
}

// get reads one answer of a service.
func get[T any](ctx context.Context, b *backend, service, path string) (T, error) {
	var answer T
	body, err := b.read(ctx, b.urls[service]+path)
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		return answer, fmt.Errorf("%s: %w", service, err)
	}
	return answer, nil
}

func (b *backend) read(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
		return io.ReadAll(response.Body)
	case http.StatusNotFound:
		return nil, errNotFound
	default:
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
}

func (b *backend) product(ctx context.Context, id string) (product, error) {
	return get[product](ctx, b, "catalog", "/products/"+id)
}

func (b *backend) cart(ctx context.Context, user string) (cart, error) {
	return get[cart](ctx, b, "cart", "/carts/"+user)
}

func (b *backend) orders(ctx context.Context, user, id string) (orders, error) {
	return get[orders](ctx, b, "orders", "/orders?user="+user+"&product="+id+"&limit="+strconv.Itoa(ordersShown))
}

func (b *backend) reviews(ctx context.Context, id string) (reviews, error) {
	return get[reviews](ctx, b, "reviews", "/reviews?product="+id+"&limit="+strconv.Itoa(reviewsShown))
}

func (b *backend) stock(ctx context.Context, id string) (stock, error) {
	return get[stock](ctx, b, "inventory", "/stock/"+id)
}

func (b *backend) shipping(ctx context.Context, id string, grams int, postcode string) (shipping, error) {
	path := "/options?product=" + id + "&weight=" + strconv.Itoa(grams)
	if postcode != "" {
		path += "&postcode=" + url.QueryEscape(postcode)
	}
	return get[shipping](ctx, b, "shipping", path)
}

func (b *backend) recommendations(ctx context.Context, id, user string) (recommendations, error) {
	path := "/recommendations?product=" + id + "&user=" + user + "&limit=" + strconv.Itoa(similarShown)
	return get[recommendations](ctx, b, "recommendations", path)
}
