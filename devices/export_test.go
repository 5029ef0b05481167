package devices

// TokenBodies lists the compiled words of the table, for the test that holds
// them to its conventions.
func TokenBodies() []string {
	var bodies []string
	for _, t := range tokens() {
		bodies = append(bodies, t.body)
	}
	return bodies
}
