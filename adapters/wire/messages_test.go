package wire_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/wire"
)

func TestNamesOfChanges(t *testing.T) {
	t.Parallel()
	for product, want := range map[string]string{
		"p-1042": "p-1042", "A_9": "A_9",
		"": "", "*": "", ">": "", "p.1": "", "p 1": "", "p\r\n": "", "p\xff": "", "@": "", "[": "",
		strings.Repeat("x", 64): strings.Repeat("x", 64), strings.Repeat("x", 65): "",
	} {
		subject, topic := "", ""
		if want != "" {
			subject, topic = "inventory.changes."+want, "stock."+want
		}
		if got, ok := wire.InventoryChanges(product); got != subject || ok != (want != "") {
			t.Errorf("%q on NATS: got %q, %v", product, got, ok)
		}
		if got, ok := wire.StockTopic(product); got != topic || ok != (want != "") {
			t.Errorf("%q on ZeroMQ: got %q, %v", product, got, ok)
		}
	}
}
