package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// readEtcd reads what a key holds.
func readEtcd(text []byte) (Instance, error) {
	i := Instance{Address: string(text)}
	if strings.HasPrefix(i.Address, "{") {
		fields, err := readObject(i.Address, "address", "zone")
		if err != nil {
			return Instance{}, err
		}
		i = Instance{Address: fields["address"], Zone: fields["zone"]}
	}
	if field, err := i.validate(); err != nil {
		return Instance{}, fmt.Errorf("%s: %w", field, err)
	}
	return i, nil
}

// readObject reads an object of JSON, whose members are strings, of some names, and
// there once each: people write them, and what is misspelt should be told of.
func readObject(text string, names ...string) (map[string]string, error) {
	d := json.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil { // the brace
		return nil, err
	}
	fields := make(map[string]string, len(names))
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		if err := add(fields, names, name, value); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil { // the brace
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it goes on after its JSON")
	}
	return fields, nil
}

func add(fields map[string]string, names []string, name, value json.Token) error {
	key, _ := name.(string) // the decoder has no other
	text, ok := value.(string)
	_, twice := fields[key]
	switch {
	case !slices.Contains(names, key):
		return fmt.Errorf("%.100q: there is no such field", key)
	case twice:
		return fmt.Errorf("%s: is there twice", key)
	case !ok:
		return fmt.Errorf("%s: must be a string", key)
	}
	fields[key] = text
	return nil
}
