package adaptertest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

const (
	ada  = "u-7"
	tent = "p-1042"
)

// leaf is a page of few things.
type leaf struct {
	ID     string   `json:"id"`
	Words  []string `json:"words"`
	Left   *int     `json:"left,omitempty"`
	Titles []string `json:"titles,omitzero"`
	Cart   *int     `json:"cart,omitempty"`
	User   string   `json:"user,omitempty"`
}

// parts are a sound page, of the tent.
func parts(s *services.Services, r *adapter.Request) []stream.Part[leaf] {
	return []stream.Part[leaf]{
		stream.Required("catalog", s.Catalog.Product(tent), setProduct),
		stream.Optional("inventory", s.Inventory.Stock(tent), setStock),
		stream.Optional("reviews", s.Reviews.Top(tent, 3), setTitles),
		stream.Optional("cart", s.Cart.Of(r.User), func(p *leaf, c services.Cart) { p.Cart = &c.ItemCount }),
	}
}

func setProduct(p *leaf, found services.Product) {
	p.ID, p.Words = found.ID, slices.Clone(found.Categories)
}

func setStock(p *leaf, s services.Stock) { p.Left = &s.Available }

func setTitles(p *leaf, top services.TopReviews) {
	p.Titles = services.Take(3, top.Reviews, func(r services.Review) string { return r.Title })
}

// change is what makes a sound page a bad one.
type change func(s *services.Services, r *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf]

func none(_ *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	return sound
}

// with replaces the reviews of a sound page.
func with(part func(s *services.Services) stream.Part[leaf]) change {
	return func(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
		sound[2] = part(s)
		return sound
	}
}

// reviewed gives the reviews another setter.
func reviewed(set func(*leaf, services.TopReviews)) change {
	return with(func(s *services.Services) stream.Part[leaf] {
		return stream.Optional("reviews", s.Reviews.Top(tent, 3), set)
	})
}

func sortReviews(all []services.Review) {
	slices.SortFunc(all, func(a, b services.Review) int { return strings.Compare(b.Title, a.Title) })
}

// version returns the maker of a version with one page.
func version(c change) adaptertest.Maker {
	return func(s *services.Services) (*adapter.Version, error) {
		return adapter.New(devices.Phone, "v1", adapter.Page("/leaf", func(r *adapter.Request, _ struct{}) stream.Assembly[leaf] {
			return stream.Assemble(c(s, r, parts(s, r))...)
		}))
	}
}

// leafOf is the page of a change, with what is true of a sound one.
func leafOf(c change) adaptertest.Page {
	return adaptertest.Page{
		Version: []adaptertest.Maker{version(c)}, Path: "/leaf", User: ada, Required: []string{"catalog"},
		Time: time.Minute, Bytes: 1 << 10,
	}
}

// grid is sound but for what the setter of its elements does, which nothing shows.
func grid(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	words := stream.Some(stream.Of([]string{"p-1001", "p-1002"}), 2, func(id string) stream.Stream[string] {
		return stream.Assemble(
			stream.Required("element", s.Catalog.Product(id), func(word *string, p services.Product) {
				*word, p.Categories[1] = p.Name, "seen"
			}),
		).Stream()
	})
	return append(sound, stream.Optional("grid", words, func(p *leaf, words []string) { p.User = strings.Join(words, " ") }))
}

// forgetful shows anybody who asked last.
func forgetful() change {
	var last atomic.Value
	return func(_ *services.Services, r *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
		if r.User != "" {
			last.Store(r.User)
		}
		return append(sound, stream.Optional("user", stream.Of(1), func(p *leaf, _ int) { p.User, _ = last.Load().(string) }))
	}
}

// restless asks each time for something else, of which it shows the same.
func restless() change {
	var asked atomic.Int64
	return func(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
		limit := 5 + int(asked.Add(1)%45) // at most what the service allows
		return append(sound, stream.Required("more", s.Reviews.Top(tent, limit), func(*leaf, services.TopReviews) {}))
	}
}

// secretive asks in a scope of its own, which nobody hears of.
func secretive(s *services.Services, r *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	sound = sound[:3]
	cart := stream.Required("cart", s.Cart.Of(r.User), func(c *services.Cart, got services.Cart) { *c = got })
	if got, err := stream.Assemble(cart).Run(context.Background()); err == nil {
		sound = append(sound, stream.Optional("pieces", stream.Of(got.ItemCount), func(p *leaf, n int) { p.Cart = &n }))
	}
	return sound
}

// desperate asks somebody else when a service is lost.
func desperate(s *services.Services, r *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	cart := stream.Required("cart", s.Cart.Of(r.User), func(c *services.Cart, got services.Cart) { *c = got })
	if _, err := stream.Assemble(cart).Run(context.Background()); err != nil {
		sound = append(sound, stream.Optional("orders", s.Orders.ForProduct(r.User, tent, 1), func(*leaf, []services.Order) {}))
	}
	return sound
}

// swapped calls two parts by each other's name.
func swapped(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	sound[1] = stream.Optional("reviews", s.Inventory.Stock(tent), setStock)
	sound[2] = stream.Optional("inventory", s.Reviews.Top(tent, 3), setTitles)
	return sound
}

// odd is encoded with a member that its type does not have.
type odd leaf

// MarshalJSON adds the member.
func (o odd) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		leaf
		More string `json:"more"`
	}{leaf(o), "more"})
}

// oddVersion has a page that is not what its type says.
func oddVersion(s *services.Services) (*adapter.Version, error) {
	return adapter.New(devices.Phone, "v1", adapter.Page("/leaf", func(*adapter.Request, struct{}) stream.Assembly[odd] {
		return stream.Assemble(stream.Required("catalog", s.Catalog.Product(tent), func(o *odd, p services.Product) { o.ID = p.ID }))
	}))
}

// handsOn puts an answer's list into the page, where another setter turns it.
func handsOn(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
	sound[0] = stream.Required("catalog", s.Catalog.Product(tent), func(p *leaf, found services.Product) {
		p.ID, p.Words = found.ID, found.Categories
	})
	sound[2] = stream.Optional("reviews", s.Reviews.Top(tent, 3), func(p *leaf, top services.TopReviews) {
		slices.Sort(p.Words)
		slices.Reverse(p.Words)
		setTitles(p, top)
	})
	return sound
}

// requiring is the sound page, said to require services.
func requiring(names ...string) adaptertest.Page {
	p := leafOf(none)
	p.Required = names
	return p
}

// budgeted is the sound page with a budget.
func budgeted(d time.Duration, bytes int) adaptertest.Page {
	p := leafOf(none)
	p.Time, p.Bytes = d, bytes
	return p
}

// unfit is no version.
func unfit(*services.Services) (*adapter.Version, error) {
	return adapter.New(devices.Phone, "v1", adapter.Endpoint{Path: "leaf"})
}

// watch is a version for screens that have no standard.
func watch(s *services.Services) (*adapter.Version, error) {
	return adapter.New("watch", "v1", adapter.Page("/leaf", func(r *adapter.Request, _ struct{}) stream.Assembly[leaf] {
		return stream.Assemble(parts(s, r)...)
	}))
}

// attributed adds a part made of the attributes of a product.
func attributed(set func(*leaf, map[string]string)) change {
	return func(s *services.Services, _ *adapter.Request, sound []stream.Part[leaf]) []stream.Part[leaf] {
		attributes := stream.Map(s.Catalog.Product(tent), func(p services.Product) map[string]string { return p.Attributes })
		return append(sound, stream.Optional("attributes", attributes, set))
	}
}

// box is a value that holds itself, and what nobody sees.
type box struct {
	self  *box
	inner *struct{ count int }
}

func newBox(services.TopReviews) *box {
	b := &box{inner: &struct{ count int }{}}
	b.self = b
	return b
}
