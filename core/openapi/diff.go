package openapi

import (
	"maps"
	"slices"
)

// Change is one difference between two documents.
type Change struct {
	Path     string // of the page, such as "/productdetails"
	Text     string // what of it changed, and how
	Breaking bool   // a client of the old document may fail on an answer of the new one, or be refused
}

// String returns the change in a line.
func (c Change) String() string { return c.Path + ": " + c.Text }

// Diff returns what changed in the pages and their parameters, page by page. It
// follows references, so that a new name of a type is no change. It tells nothing
// of problems, which are one for all pages, and of descriptions.
func Diff(old, now *Document) []Change {
	c := &comparison{old: &old.document, now: &now.document}
	paths := maps.Clone(old.Paths)
	maps.Copy(paths, now.Paths)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		c.path = path
		before, was := old.Paths[path]
		after, is := now.Paths[path]
		switch {
		case !is:
			c.breaking("the page is gone")
		case !was:
			c.compatible("the page is new")
		default:
			c.parameters(&before.Get, &after.Get)
			c.schemas("the page", before.Get.page(), after.Get.page(), nil)
		}
	}
	return c.changes
}

// comparison collects the changes of one page after the other.
type comparison struct {
	old, now *document
	path     string
	changes  []Change
}

func (c *comparison) breaking(text string) { c.tell(true, text) }

func (c *comparison) compatible(text string) { c.tell(false, text) }

func (c *comparison) tell(breaking bool, text string) {
	c.changes = append(c.changes, Change{c.path, text, breaking})
}

// pair is two schemas that are being compared.
type pair struct{ old, now *schema }

// schemas compares what is at a place of a page. The pairs above it are being
// compared already: types can hold themselves.
func (c *comparison) schemas(at string, old, now *schema, above []pair) {
	before, after := c.old.form(old), c.now.form(now)
	this := pair{before.schema, after.schema}
	if slices.Contains(above, this) {
		return
	}
	c.null(at, before, after)
	if before.kind != after.kind {
		c.tell(!before.kind.holds(after.kind), at+": "+string(before.kind)+" became "+string(after.kind))
		return
	}
	above = append(slices.Clip(above), this)
	switch before.kind {
	case object:
		c.fields(at, before.schema, after.schema, above)
	case list:
		c.schemas(at+"[]", before.schema.Items, after.schema.Items, above)
	case mapping:
		c.schemas(at+".*", before.schema.Values, after.schema.Values, above)
	case textual:
		c.words(at, before.schema.Enum, after.schema.Enum)
	}
}

func (c *comparison) null(at string, before, after form) {
	switch {
	case before.null == after.null || before.kind == anything || after.kind == anything:
	case after.null:
		c.breaking(at + " may now be null")
	default:
		c.compatible(at + " is never null now")
	}
}

// fields compares two structs. Those of the page itself are named without it.
func (c *comparison) fields(at string, old, now *schema, above []pair) {
	prefix := at + "."
	if len(above) == 1 {
		prefix = ""
	}
	names := maps.Clone(old.Properties)
	maps.Copy(names, now.Properties)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		field, before, after := prefix+name, old.Properties[name], now.Properties[name]
		switch {
		case after == nil:
			c.breaking(field + " is gone")
		case before == nil:
			c.compatible(field + " is new")
		default:
			c.presence(field, slices.Contains(old.Required, name), slices.Contains(now.Required, name))
			c.schemas(field, before, after, above)
		}
	}
}

func (c *comparison) presence(field string, before, after bool) {
	switch {
	case before && !after:
		c.breaking(field + " was always there, may now be absent")
	case after && !before:
		c.compatible(field + " is always there now")
	}
}

// words compares what a text of an answer can be: a client may not know a new one.
func (c *comparison) words(at string, old, now []string) {
	switch {
	case len(old) > 0 && len(now) == 0:
		c.breaking(at + " may now be any text")
	case len(old) == 0 && len(now) > 0:
		c.compatible(at + " is now one of " + quoted(now))
	}
	if len(old) > 0 && len(now) > 0 {
		c.each(missing(now, old), true, at+": enum gained ")
		c.each(missing(old, now), false, at+": enum lost ")
	}
}
