package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"
)

// What a television has room for, as the gateway's profile of one says.
const (
	rowsShown    = "8"
	postersShown = 20
	posterFormat = "?w=480&fmt=jpeg"
)

// homePage is what a television opens with: the gateway's page, field by field.
type homePage struct {
	Greeting  string  `json:"greeting"`
	Focus     string  `json:"focus"`
	Rows      []shelf `json:"rows"`
	CartCount int     `json:"cart_count"`
}

type shelf struct {
	Title   string   `json:"title"`
	Posters []poster `json:"posters"`
}

type poster struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Brand   string  `json:"brand"`
	Image   string  `json:"image"`
	Price   money   `json:"price"`
	Stars   float64 `json:"stars,omitempty"`
	SoldOut bool    `json:"sold_out,omitempty"`
}

type rows struct {
	Rows []struct {
		Title      string   `json:"title"`
		ProductIDs []string `json:"product_ids"`
	} `json:"rows"`
}

type profile struct {
	Name string `json:"name"`
}

// grid are the answers that a home page is made from.
type grid struct {
	rows     rows
	products map[string]*product
	ratings  map[string]*summary
	stocks   map[string]*stock
	cart     cart
	profile  profile
}

func (b *backend) home(c echo.Context) error {
	user := c.Request().Header.Get("X-User-Id")
	if !idPattern.MatchString(user) {
		return echo.NewHTTPError(http.StatusBadRequest, "invalid user")
	}
	g, err := b.composeHome(c.Request().Context(), user)
	if err != nil {
		return echo.NewHTTPError(http.StatusBadGateway, "a service failed").SetInternal(err)
	}
	return c.JSON(http.StatusOK, g.page())
}

// composeHome asks for the rows, the cart and the profile at once, then for all
// products of all rows in three batches at once.
func (b *backend) composeHome(ctx context.Context, user string) (*grid, error) {
	var all grid
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { all.cart, err = b.cart(ctx, user); return err })
	g.Go(func() (err error) {
		all.profile, err = get[profile](ctx, b, "profiles", "/profiles/"+user)
		return err
	})
	g.Go(func() (err error) {
		if all.rows, err = get[rows](ctx, b, "recommendations", "/rows?user="+user+"&limit="+rowsShown); err != nil {
			return err
		}
		return b.fill(ctx, &all)
	})
	return &all, g.Wait()
}

func (b *backend) fill(ctx context.Context, all *grid) error {
	ids := all.ids()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		answer, err := get[struct {
			Products []product `json:"products"`
		}](ctx, b, "catalog", "/products?ids="+ids)
		all.products = byID(answer.Products, func(p *product) string { return p.ID })
		return err
	})
	g.Go(func() error {
		answer, err := get[struct {
			Summaries []summary `json:"summaries"`
		}](ctx, b, "reviews", "/summaries?products="+ids)
		all.ratings = byID(answer.Summaries, func(s *summary) string { return s.ProductID })
		return err
	})
	g.Go(func() error {
		answer, err := get[struct {
			Stock []stock `json:"stock"`
		}](ctx, b, "inventory", "/stock?products="+ids)
		all.stocks = byID(answer.Stock, func(s *stock) string { return s.ProductID })
		return err
	})
	return g.Wait()
}

// ids are those of all products shown, each once, with commas between.
func (g *grid) ids() string {
	var list []string
	seen := make(map[string]bool)
	for _, row := range g.rows.Rows {
		for _, id := range row.ProductIDs[:min(postersShown, len(row.ProductIDs))] {
			if !seen[id] {
				seen[id] = true
				list = append(list, id)
			}
		}
	}
	return strings.Join(list, ",")
}

func byID[T any](list []T, id func(*T) string) map[string]*T {
	found := make(map[string]*T, len(list))
	for i := range list {
		found[id(&list[i])] = &list[i]
	}
	return found
}

func (g *grid) page() homePage {
	p := homePage{Greeting: "Hello, " + g.profile.Name, CartCount: g.cart.ItemCount}
	for _, row := range g.rows.Rows {
		s := shelf{Title: row.Title, Posters: []poster{}}
		for _, id := range row.ProductIDs[:min(postersShown, len(row.ProductIDs))] {
			if found := g.products[id]; found != nil {
				s.Posters = append(s.Posters, g.poster(found))
			}
		}
		p.Rows = append(p.Rows, s)
	}
	p.Focus = p.Rows[0].Posters[0].ID
	return p
}

func (g *grid) poster(p *product) poster {
	shown := poster{ID: p.ID, Title: p.Name, Brand: p.Brand, Price: p.Price}
	if len(p.Images) > 0 {
		shown.Image = p.Images[0].URL + posterFormat
	}
	if s := g.ratings[p.ID]; s != nil {
		shown.Stars = float64(int(s.Average*2+0.5)) / 2
	}
	if s := g.stocks[p.ID]; s != nil {
		shown.SoldOut = s.Available <= 0
	}
	return shown
}
