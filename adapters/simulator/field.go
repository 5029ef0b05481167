package simulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// field is one field of a fault's text form. Exactly one of its pointers is set.
type field struct {
	name     string
	alone    bool // it excludes the others that are alone
	duration func(*Fault) *time.Duration
	number   func(*Fault) *int
	share    func(*Fault) *float64
	flag     func(*Fault) *bool
}

// fields are all of them, in the order in which String writes them.
var fields = [...]field{
	{name: "latency", duration: func(f *Fault) *time.Duration { return &f.Latency }},
	{name: "spread", duration: func(f *Fault) *time.Duration { return &f.Spread }},
	{name: "capacity", number: func(f *Fault) *int { return &f.Capacity }},
	{name: "queue", number: func(f *Fault) *int { return &f.Queue }},
	{name: "error", share: func(f *Fault) *float64 { return &f.ErrorRate }},
	{name: "status", number: func(f *Fault) *int { return &f.Status }},
	{name: "drip", alone: true, duration: func(f *Fault) *time.Duration { return &f.Drip }},
	{name: "hang", alone: true, flag: func(f *Fault) *bool { return &f.Hang }},
	{name: "reset", alone: true, flag: func(f *Fault) *bool { return &f.Reset }},
	{name: "truncated", alone: true, flag: func(f *Fault) *bool { return &f.Truncated }},
	{name: "garbage", alone: true, flag: func(f *Fault) *bool { return &f.Garbage }},
	{name: "wrongtype", alone: true, flag: func(f *Fault) *bool { return &f.WrongType }},
	{name: "deep", alone: true, flag: func(f *Fault) *bool { return &f.Deep }},
	{name: "oversize", alone: true, flag: func(f *Fault) *bool { return &f.Oversize }},
	{name: "huge", alone: true, flag: func(f *Fault) *bool { return &f.Huge }},
	{name: "bomb", alone: true, flag: func(f *Fault) *bool { return &f.Bomb }},
	{name: "down", alone: true, flag: func(f *Fault) *bool { return &f.Down }},
}

// assign sets one field from its text; a flag stands alone or is true or false.
func (f *Fault) assign(name, value string, valued bool) error {
	var names []string
	for _, row := range fields {
		if row.name == name {
			return row.parse(f, value, valued)
		}
		names = append(names, row.name)
	}
	return fault.InvalidField(shorten(name), "there is no such field; there are "+strings.Join(names, ", "))
}

func (row *field) parse(f *Fault, value string, valued bool) error {
	var err error
	want := "a number is wanted"
	switch {
	case row.duration != nil:
		want = "a duration such as 50ms is wanted"
		*row.duration(f), err = time.ParseDuration(value)
	case row.number != nil:
		*row.number(f), err = strconv.Atoi(value)
	case row.share != nil:
		*row.share(f), err = strconv.ParseFloat(value, 64)
	case !valued:
		*row.flag(f) = true
	default:
		want = "it takes no value, or true or false"
		*row.flag(f), err = strconv.ParseBool(value)
	}
	if err != nil {
		return fault.InvalidField(row.name, want)
	}
	return nil
}

// text returns the field as ParseFault reads it; "" if it is not set.
func (row *field) text(f *Fault) string {
	switch {
	case row.duration != nil && *row.duration(f) != 0:
		return row.name + "=" + row.duration(f).String()
	case row.number != nil && *row.number(f) != 0:
		return row.name + "=" + strconv.Itoa(*row.number(f))
	case row.share != nil && *row.share(f) != 0:
		return row.name + "=" + strconv.FormatFloat(*row.share(f), 'g', -1, 64)
	case row.flag != nil && *row.flag(f):
		return row.name
	}
	return ""
}

// parseBody reads a fault as the control gets it: the text form, or a JSON
// object with the same names, such as {"latency":"50ms","hang":true}.
func parseBody(body []byte) (Fault, error) {
	text := strings.TrimSpace(string(body))
	if !strings.HasPrefix(text, "{") {
		return ParseFault(text)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return Fault{}, fault.InvalidField("body", "it is not a JSON object")
	}
	var f Fault
	for name, value := range object {
		if err := f.assign(name, fmt.Sprint(value), true); err != nil {
			return Fault{}, err
		}
	}
	return f, f.validate()
}

// shorten keeps what a stranger sent from filling an error.
func shorten(text string) string {
	const limit = 32
	if len(text) > limit {
		return text[:limit]
	}
	return text
}
