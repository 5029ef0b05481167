package openapi

import (
	"slices"
	"strconv"
	"strings"
)

// parameters compares what a page can be asked with. Here a change breaks that
// refuses what was accepted, or that no longer hears it.
func (c *comparison) parameters(old, now *operation) {
	before, after := c.old.parameters(old), c.now.parameters(now)
	for _, p := range before {
		i := slices.IndexFunc(after, p.is)
		if i < 0 {
			c.breaking(p.title() + " is gone")
			continue
		}
		c.parameter(p, after[i])
	}
	for _, p := range after {
		switch {
		case slices.ContainsFunc(before, p.is):
		case p.Required:
			c.breaking(p.title() + " is new and required")
		default:
			c.compatible(p.title() + " is new")
		}
	}
}

func (c *comparison) parameter(before, after parameter) {
	at := before.title()
	switch {
	case after.Required && !before.Required:
		c.breaking(at + " is now required")
	case before.Required && !after.Required:
		c.compatible(at + " is no longer required")
	}
	if a, b := before.pattern(), after.pattern(); a != b {
		c.pattern(at, a, b)
	}
	a, b := before.words(), after.words()
	switch {
	case len(a) == 0 && len(b) > 0:
		c.breaking(at + " must now be one of " + quoted(b))
	case len(a) > 0 && len(b) == 0:
		c.compatible(at + " may now be any text")
	default:
		c.each(missing(a, b), true, at+": enum lost ")
		c.each(missing(b, a), false, at+": enum gained ")
	}
}

// pattern tells of patterns that differ. That one holds all that the other does
// is not looked for.
func (c *comparison) pattern(at, before, after string) {
	switch {
	case before == "":
		c.breaking(at + " must now match " + after)
	case after == "":
		c.compatible(at + " no longer has to match " + before)
	default:
		c.breaking(at + " must now match " + after + ", not " + before)
	}
}

// parameters returns those of an operation, whether they are shared or not.
func (d *document) parameters(o *operation) []parameter {
	all := make([]parameter, len(o.Parameters))
	for i, p := range o.Parameters {
		if name, refers := strings.CutPrefix(p.Ref, parametersAt); refers {
			p = d.Components.Parameters[name]
		}
		all[i] = p
	}
	return all
}

func (p parameter) is(other parameter) bool { return p.In == other.In && p.Name == other.Name }

func (p parameter) title() string { return p.In + " parameter " + p.Name }

func (p parameter) pattern() string {
	if p.Schema == nil {
		return ""
	}
	return p.Schema.Pattern
}

func (p parameter) words() []string {
	if p.Schema == nil {
		return nil
	}
	return p.Schema.Enum
}

// each tells the same of every word.
func (c *comparison) each(words []string, breaking bool, text string) {
	for _, word := range words {
		c.tell(breaking, text+strconv.Quote(word))
	}
}

// missing returns the words that others do not have.
func missing(words, others []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return slices.Contains(others, word) })
}

func quoted(words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = strconv.Quote(word)
	}
	return strings.Join(all, ", ")
}
