package config

import "github.com/facet-gateway/facet/devices"

// decodeAdapters reads which version answers each class, of those that the code has.
func decodeAdapters(v value, chosen map[devices.Class]string, known map[devices.Class][]string) {
	var classes []string
	for class := range known {
		classes = append(classes, string(class))
	}
	v.entries(func(name string, v value) {
		versions := known[devices.Class(name)]
		if versions == nil {
			v.unknown("adapter", name, classes)
			return
		}
		if version, ok := oneOf(versions...)(v); ok {
			chosen[devices.Class(name)] = version
		}
	})
}
