package wire_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/wire"
)

func TestInventoryChanges(t *testing.T) {
	t.Parallel()
	for product, want := range map[string]string{
		"p-1042": "inventory.changes.p-1042", "A_9": "inventory.changes.A_9",
		"": "", "*": "", ">": "", "p.1": "", "p 1": "", "p\r\n": "", "p\xff": "", "@": "", "[": "",
		strings.Repeat("x", 64): "inventory.changes." + strings.Repeat("x", 64), strings.Repeat("x", 65): "",
	} {
		if got, ok := wire.InventoryChanges(product); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", product, got, ok)
		}
	}
}
