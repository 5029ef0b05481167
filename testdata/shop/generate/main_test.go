package main

import (
	"bytes"
	"testing"

	"github.com/facet-gateway/facet/testdata/shop"
)

// The committed files are what this program writes: nobody edits them by hand.
func TestFilesAreAsCommitted(t *testing.T) {
	made, err := files()
	if err != nil {
		t.Fatal(err)
	}
	committed := shop.Files()
	if len(made) != len(committed) {
		t.Fatalf("made %d files, committed are %d", len(made), len(committed))
	}
	for name, data := range made {
		if !bytes.Equal(data, committed[name]) {
			t.Errorf("%s differs from the committed file: run go generate in testdata/shop", name)
		}
	}
}
