package simulator

import (
	"net/http"
	"strconv"
	"time"

	"github.com/facet-gateway/facet/testdata/shop"
)

const (
	maxGrams      = 1_000_000
	maxPostcode   = 12
	homePostcode  = 6  // bytes: four digits and two letters
	orderByHour   = 17 // UTC
	pickupMaxBand = 1  // heavier things are not left at a counter
)

// options is the answer of the shipping service.
type options struct {
	Options []option `json:"options"`
}

type option struct {
	ID      string     `json:"id"`
	Carrier string     `json:"carrier"`
	Name    string     `json:"name"`
	Cost    shop.Money `json:"cost"`
	OrderBy time.Time  `json:"order_by"`
	Arrives string     `json:"arrives"` // a date
}

// zone is how far a postcode is from the warehouse.
type zone struct {
	name      string
	surcharge int64
	days      int
}

// zones are the shop's own region, the rest of its country, and abroad.
var zones = [...]zone{{"near", 0, 0}, {"home", 100, 0}, {"abroad", 800, 3}}

// band is the price of a weight.
type band struct {
	grams int // up to here
	cents int64
}

var bands = [...]band{{2000, 495}, {10_000, 795}, {30_000, 1995}, {maxGrams, 4995}}

func bindShipping(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		if r.URL.Path != "/options" {
			return nothing
		}
		return s.shippingOptions(query(r.URL.RawQuery))
	})
}

func (s *store) shippingOptions(q query) *answer {
	if _, refusal := s.find(q.get("product"), "product"); refusal != nil {
		return refusal
	}
	at, sound := bandOf(q.get("weight"))
	if !sound {
		return badField("weight")
	}
	z, sound := zoneOf(q.get("postcode"))
	if !sound {
		return badField("postcode")
	}
	orderBy := s.orderBy()
	key := memoKey{service: "shipping", about: z.name, variant: int(orderBy.Unix()), limit: at}
	if a := s.memo.get(key); a != nil {
		return a
	}
	return s.memo.put(key, encode(options{offered(at, z, orderBy)}))
}

// orderBy is the next hour of collection.
func (s *store) orderBy() time.Time {
	now := s.now().UTC()
	today := time.Date(now.Year(), now.Month(), now.Day(), orderByHour, 0, 0, 0, time.UTC)
	if now.After(today) {
		return today.AddDate(0, 0, 1)
	}
	return today
}

func offered(at int, z zone, orderBy time.Time) []option {
	cents := bands[at].cents + z.surcharge
	offer := func(id, carrier, name string, cents int64, days int) option {
		arrives := orderBy.AddDate(0, 0, days+z.days).Format(time.DateOnly)
		return option{id, carrier, name, shop.Money{Amount: cents, Currency: "EUR"}, orderBy, arrives}
	}
	list := []option{
		offer("std", "PostNord", "Standard", cents, 3),
		offer("express", "Parcel Direct", "Express", 2*cents+500, 1),
	}
	if at <= pickupMaxBand {
		list = append(list, offer("pickup", "PostNord", "Pick-up point", cents-200, 4))
	}
	return list
}

// bandOf returns the index of a weight's band; the weight is 1 to 1,000,000 grams.
func bandOf(weight string) (int, bool) {
	grams, err := strconv.Atoi(weight)
	if err != nil || grams < 1 {
		return 0, false
	}
	for i, b := range bands {
		if grams <= b.grams {
			return i, true
		}
	}
	return 0, false
}

// zoneOf returns the zone of a postcode; none is the shop's own region.
func zoneOf(postcode string) (zone, bool) {
	if postcode == "" {
		return zones[0], true
	}
	if len(postcode) > maxPostcode {
		return zone{}, false
	}
	digits := 0
	for i := range len(postcode) {
		c := postcode[i]
		if !idByte(c) && c != ' ' {
			return zone{}, false
		}
		if digits == i && c >= '0' && c <= '9' {
			digits++
		}
	}
	switch {
	case digits != 4 || len(postcode) != homePostcode:
		return zones[2], true
	case postcode[0] == '1':
		return zones[0], true
	}
	return zones[1], true
}
