package wire

// The subjects of the inventory on NATS, which are its methods on ZeroMQ, too.
const (
	InventoryStock  = "inventory.stock"  // a [StockQuery]: the answer of GET /stock/{product}
	InventoryStocks = "inventory.stocks" // a [StocksQuery]: the answer of GET /stock?products=…
)

// ShippingOptions is the queue of the shipping service in a broker of AMQP; an
// [OptionsQuery] is answered as GET /options is.
const ShippingOptions = "shipping.options"

// StockQuery asks for the stock of a product.
type StockQuery struct {
	Product string `json:"product"`
}

// StocksQuery asks for the stock of up to 200 products. Those that are not known are
// left out of the answer.
type StocksQuery struct {
	Products []string `json:"products"`
}

// OptionsQuery asks for the ways to deliver a product of a weight.
type OptionsQuery struct {
	Product     string `json:"product"`
	WeightGrams int    `json:"weight_grams"`
	Postcode    string `json:"postcode,omitempty"` // "": the shop's own region
}

const (
	changes    = "inventory.changes."
	stockTopic = "stock."
)

// maxID is how long an identifier is at most, in bytes.
const maxID = 64

// InventoryChanges returns the subject on NATS on which the inventory publishes the stock
// of a product whenever it changes: the answer of GET /stock/{product}. It is false of
// what cannot be the identifier of one, which could be several subjects.
func InventoryChanges(product string) (subject string, ok bool) {
	return named(changes, product)
}

// StockTopic returns the topic on ZeroMQ on which each instance of the inventory publishes
// the stock of a product whenever it changes there. It is false of what cannot be the
// identifier of one.
func StockTopic(product string) (topic string, ok bool) { return named(stockTopic, product) }

func named(what, product string) (name string, ok bool) {
	if product == "" || len(product) > maxID {
		return "", false
	}
	for _, c := range []byte(product) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return "", false
		}
	}
	return what + product, true
}
