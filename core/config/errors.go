package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// Error is one thing wrong with a configuration file.
type Error struct {
	File         string
	Line, Column int    // from 1; columns count characters, not bytes
	Path         string // such as "services.catalog.instances[0]"; empty for the file as a whole
	Message      string // what is wrong, then what is allowed
}

// Error returns "FILE:LINE:COLUMN: path: what is wrong; allowed: …", which
// editors turn into a link. It is one line, whatever the file holds.
func (e Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.Path, e.Message)
}

// Errors is everything wrong with a file, in the order of its lines, and never
// empty. A fault of syntax stands alone: what follows it cannot be read.
type Errors []Error

// Locate returns what turned out to be wrong with a field when it was used, as [Errors]
// of its place in the file: that of the longest beginning of keys that the file has. A
// field that err itself says is at fault, as a [*fault.Error], is looked for below keys.
func (c *Config) Locate(err error, keys ...string) error {
	message := err.Error()
	if named, ok := err.(*fault.Error); ok && named.Field != "" { //nolint:errorlint // what wraps one is of another document
		keys = append(keys, strings.Split(named.Field, ".")...)
		message = named.Detail
	}
	if c.source.root.node == nil {
		return fmt.Errorf("%s: %w", strings.Join(keys, "."), err)
	}
	at := c.source.root
	at.key, at.errs = first(at.node), &collector{file: c.source.file}
	at.descend(keys).fail("%s", message)
	return at.errs.list
}

const maxPrinted = 50

// Error returns one line for each of the first 50 errors, and a line with the
// number of the others.
func (es Errors) Error() string {
	var lines []string
	for _, e := range es[:min(len(es), maxPrinted)] {
		lines = append(lines, e.Error())
	}
	if more := len(es) - maxPrinted; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", es[0].File, more))
	}
	return strings.Join(lines, "\n")
}

// collector gathers the errors of one file. Their number is bounded by the
// file's tokens.
type collector struct {
	file string
	list Errors
}

func (c *collector) add(line, column int, path, message string) {
	c.list = append(c.list, Error{c.file, line, column, path, message})
}

// sorted returns the errors by line and column, those of one place in the order
// in which they were found.
func (c *collector) sorted() Errors {
	slices.SortStableFunc(c.list, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.list
}
