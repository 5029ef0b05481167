// Command generate writes the shop's data. Its output depends on nothing but
// this source: the same bytes on every machine. Run it with `go generate` in
// testdata/shop, or as `go run ./testdata/shop/generate -dir testdata/shop`.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/facet-gateway/facet/testdata/shop"
)

func main() {
	dir := flag.String("dir", ".", "folder to write products.json and users.json to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := files()
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files returns the content of each file by name.
func files() (map[string][]byte, error) {
	listings := products()
	productsJSON, err := lines(listings)
	if err != nil {
		return nil, err
	}
	usersJSON, err := lines(users(listings))
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"products.json": productsJSON, "users.json": usersJSON}, nil
}

// lines encodes a list with one element a line, so that a change of one product
// is a change of one line.
func lines[T shop.Listing | shop.User](list []T) ([]byte, error) {
	var out bytes.Buffer
	for i, element := range list {
		out.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		line, err := json.Marshal(element)
		if err != nil {
			return nil, err
		}
		out.Write(line)
	}
	out.WriteString("\n]\n")
	return out.Bytes(), nil
}
