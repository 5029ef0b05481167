package config

import "github.com/facet-gateway/facet/devices"

// decodeAdapters reads which version answers each class, of those that the code has.
func decodeAdapters(v value, chosen map[devices.Class]string, known map[devices.Class][]string) {
	v.entries(func(name string, v value) {
		versions := known[devices.Class(name)]
		if versions == nil {
			v.unknown("adapter", name, adapted(known))
			return
		}
		if version, ok := oneOf(versions...)(v); ok {
			chosen[devices.Class(name)] = version
		}
	})
}
