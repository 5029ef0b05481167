package devices

// Tokens lists the compiled words of the table with the names of their signals,
// for the tests that hold them to its conventions.
func Tokens() []Signal {
	var list []Signal
	names := signalNames()
	for _, t := range tokens() {
		list = append(list, Signal{names[t.gives], t.body})
	}
	return list
}
