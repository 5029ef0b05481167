package config

import "slices"

// Rows returns the row of the table of what a reload may change that covers each
// setting, "" for none; and the rows that cover nothing.
func Rows(c *Config) (covered map[string]string, idle []string) {
	rows := reloadable()
	covered = make(map[string]string)
	for _, s := range c.Settings() {
		row := rowOf(rows, s.form)
		covered[s.form] = row
	}
	for row := range rows {
		used := false
		for _, by := range covered {
			used = used || by == row
		}
		if !used {
			idle = append(idle, row)
		}
	}
	slices.Sort(idle)
	return covered, idle
}
