package main

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"
)

var (
	idPattern       = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	postcodePattern = regexp.MustCompile(`^[A-Za-z0-9 -]{0,16}$`)
)

// newServer returns the routes: two pages.
func newServer(b *backend) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/productdetails", b.productDetails)
	e.GET("/home", b.home)
	return e
}

func (b *backend) productDetails(c echo.Context) error {
	id, postcode := c.QueryParam("productid"), c.QueryParam("postcode")
	user := c.Request().Header.Get("X-User-Id")
	if !idPattern.MatchString(id) || !postcodePattern.MatchString(postcode) || !idPattern.MatchString(user) {
		return echo.NewHTTPError(http.StatusBadRequest, "invalid product, postcode or user")
	}
	a, err := b.compose(c.Request().Context(), id, user, postcode)
	switch {
	case errors.Is(err, errNotFound):
		return echo.NewHTTPError(http.StatusNotFound, "not found")
	case err != nil:
		return echo.NewHTTPError(http.StatusBadGateway, "a service failed").SetInternal(err)
	}
	return c.JSON(http.StatusOK, a.page())
}

// compose makes the seven calls at once, but shipping after the catalog, whose
// weight it needs. The first that fails cancels the rest.
func (b *backend) compose(ctx context.Context, id, user, postcode string) (*answers, error) {
	var a answers
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if a.product, err = b.product(ctx, id); err != nil {
			return err
		}
		a.shipping, err = b.shipping(ctx, id, a.product.WeightGrams, postcode)
		return err
	})
	g.Go(func() (err error) { a.cart, err = b.cart(ctx, user); return err })
	g.Go(func() (err error) { a.orders, err = b.orders(ctx, user, id); return err })
	g.Go(func() (err error) { a.reviews, err = b.reviews(ctx, id); return err })
	g.Go(func() (err error) { a.stock, err = b.stock(ctx, id); return err })
	g.Go(func() (err error) { a.related, err = b.recommendations(ctx, id, user); return err })
	return &a, g.Wait()
}
