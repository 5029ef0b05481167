package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// products finds up to most products by following the shop's recommendations, in
// an order that is the same on every run.
func products(ctx context.Context, services map[string]string, user string, most int) ([]string, error) {
	base := services["recommendations"]
	var rows struct {
		Rows []struct {
			ProductIDs []string `json:"product_ids"`
		} `json:"rows"`
	}
	if err := fetchInto(ctx, base+"/rows?limit=8&user="+user, &rows); err != nil {
		return nil, err
	}
	q := queue{seen: make(map[string]bool), most: most}
	for _, row := range rows.Rows {
		q.add(row.ProductIDs...)
	}
	for next := 0; next < len(q.ids) && len(q.ids) < most; next++ {
		if err := q.follow(ctx, base+"/recommendations?limit=10&user="+user+"&product="+q.ids[next]); err != nil {
			return nil, err
		}
	}
	if len(q.ids) == 0 {
		return nil, errors.New("products: the shop recommends none")
	}
	return q.ids, nil
}

// queue holds each product once, up to a bound.
type queue struct {
	ids  []string
	seen map[string]bool
	most int
}

func (q *queue) add(ids ...string) {
	for _, id := range ids {
		if len(q.ids) < q.most && !q.seen[id] {
			q.seen[id] = true
			q.ids = append(q.ids, id)
		}
	}
}

func (q *queue) follow(ctx context.Context, address string) error {
	var lists map[string][]struct {
		ProductID string `json:"product_id"`
	}
	if err := fetchInto(ctx, address, &lists); err != nil {
		return err
	}
	for _, name := range []string{"bought_together", "also_bought", "also_viewed"} {
		for _, card := range lists[name] {
			q.add(card.ProductID)
		}
	}
	return nil
}

func fetchInto(ctx context.Context, address string, into any) error {
	body, _, err := fetch(ctx, address, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("products: %w", err)
	}
	return nil
}
