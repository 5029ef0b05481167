package devices

import (
	"fmt"
	"slices"
	"strings"
)

// Profile describes a class of device to the adapters that serve it. Profiles
// of a [Resolver] are shared between requests and must not be changed.
type Profile struct {
	Class Class
	Like  Class // the class whose adapter serves this one; empty means Class

	HeroWidth   int    // pixels of the one large image: 64 to 7680
	ThumbWidth  int    // pixels of an image in a list: 16 to HeroWidth
	ImageFormat string // "jpeg", "webp" or "avif"

	Reviews         int // reviews on a product page: 0 to 50
	Recommendations int // products per list of recommendations: 0 to 50
	Offers          int // other ways to buy a product: 0 to 20
	Images          int // images of a product: 1 to 20
	Rows            int // rows of a grid: 1 to 50
	RowLength       int // products in a row of a grid: 1 to 100
	Columns         int // columns the screen has room for: 1 to 12
}

// Standard returns new profiles of [TV], [Phone] and [Tablet], in that order.
// A television takes JPEG because its browser is as old as the set.
func Standard() []Profile {
	return []Profile{
		{
			Class: TV, HeroWidth: 1920, ThumbWidth: 480, ImageFormat: "jpeg",
			Reviews: 3, Recommendations: 12, Offers: 1, Images: 6, Rows: 8, RowLength: 20, Columns: 6,
		},
		{
			Class: Phone, HeroWidth: 720, ThumbWidth: 160, ImageFormat: "webp",
			Reviews: 2, Recommendations: 4, Offers: 2, Images: 3, Rows: 4, RowLength: 6, Columns: 1,
		},
		{
			Class: Tablet, HeroWidth: 1280, ThumbWidth: 240, ImageFormat: "webp",
			Reviews: 5, Recommendations: 8, Offers: 4, Images: 6, Rows: 6, RowLength: 10, Columns: 2,
		},
	}
}

// Adapter returns the class whose adapter serves the device: Like, or Class
// where Like is empty.
func (p *Profile) Adapter() Class {
	if p.Like == "" {
		return p.Class
	}
	return p.Like
}

// Validate checks the names and the documented ranges. Its error is an
// [*Error] that names the first field at fault. Whether Like names a known
// class is for [NewResolver] to say.
func (p *Profile) Validate() error {
	if fault := p.fault(); fault != nil {
		return fault
	}
	return nil
}

func (p *Profile) fault() *Error {
	if !p.Class.valid() {
		return &Error{"class", nameRule}
	}
	if p.Like != "" && !p.Like.valid() {
		return &Error{"like", nameRule}
	}
	if formats := imageFormats(); !slices.Contains(formats, p.ImageFormat) {
		return &Error{"image_format", "must be one of " + strings.Join(formats, ", ")}
	}
	for _, r := range p.ranges() {
		if r.value < r.min || r.value > r.max {
			return &Error{r.field, fmt.Sprintf("is %d, must be %d to %d", r.value, r.min, r.max)}
		}
	}
	return nil
}

const nameRule = "must match [a-z][a-z0-9-]{0,31}"

func imageFormats() []string { return []string{"jpeg", "webp", "avif"} }

type valueRange struct {
	field           string
	value, min, max int
}

func (p *Profile) ranges() []valueRange {
	return []valueRange{
		{"hero_width", p.HeroWidth, 64, 7680},
		{"thumb_width", p.ThumbWidth, 16, p.HeroWidth},
		{"reviews", p.Reviews, 0, 50},
		{"recommendations", p.Recommendations, 0, 50},
		{"offers", p.Offers, 0, 20},
		{"images", p.Images, 1, 20},
		{"rows", p.Rows, 1, 50},
		{"row_length", p.RowLength, 1, 100},
		{"columns", p.Columns, 1, 12},
	}
}
