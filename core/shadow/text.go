package shadow

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText is how many bytes a value takes at most where a person reads it.
const maxText = 120

const ellipsis = "…"

// text spells a value as JSON, cut where it is long.
func text(v any) string {
	if r, is := v.(rubbish); is {
		return cut(r.why)
	}
	var w bytes.Buffer
	write(&w, v)
	return cut(w.String())
}

// cut shortens a text to what a person reads.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxText {
		return s
	}
	end := maxText - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// write writes a value until there is more of it than is read.
func write(w *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		w.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if w.Len() > maxText {
				return
			}
			separate(w, i)
			writeString(w, name)
			w.WriteByte(':')
			write(w, v[name])
		}
		w.WriteByte('}')
	case []any:
		w.WriteByte('[')
		for i := range v {
			if w.Len() > maxText {
				return
			}
			separate(w, i)
			write(w, v[i])
		}
		w.WriteByte(']')
	case string:
		writeString(w, v)
	case json.Number:
		w.WriteString(string(v))
	case bool:
		if v {
			w.WriteString("true")
		} else {
			w.WriteString("false")
		}
	case nil:
		w.WriteString("null")
	}
}

func separate(w *bytes.Buffer, i int) {
	if i > 0 {
		w.WriteByte(',')
	}
}

// writeString writes a string, of a long one its beginning.
func writeString(w *bytes.Buffer, s string) {
	if len(s) > 2*maxText {
		s = s[:2*maxText]
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be encoded
	w.Truncate(w.Len() - 1)
}
