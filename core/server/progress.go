package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/facet-gateway/facet/core/adapter"
)

// A page in parts is a sequence of records, each of a kind and of JSON on one line:
//
//	page      the page as soon as all is there that it needs
//	members   those of its top-level members that are new, or others than before
//	without   the names of those that are gone
//	end       it is whole: {"etag": …, "parts": as Facet-Parts, "timing": as Server-Timing}
//	problem   it cannot become whole: a problem as of RFC 9457
//
// What the records have, one after the other, is the page that is sent whole to others.
// The last one is end or problem; without it the page was cut off.
const (
	recordPage    = "page"
	recordMembers = "members"
	recordWithout = "without"
	recordEnd     = "end"
	recordProblem = "problem"
)

// framing is how records are written.
type framing struct {
	contentType string
	frame       func(b *bytes.Buffer, kind string, text []byte)
}

// The framings, by media type: a record a line, or an event each (WHATWG HTML,
// server-sent events).
var framings = map[string]framing{
	"application/x-ndjson": {"application/x-ndjson", func(b *bytes.Buffer, kind string, text []byte) {
		b.WriteString(`{"` + kind + `":`)
		b.Write(text)
		b.WriteString("}\n")
	}},
	"text/event-stream": {"text/event-stream", func(b *bytes.Buffer, kind string, text []byte) {
		b.WriteString("event: " + kind + "\ndata: ")
		b.Write(text)
		b.WriteString("\n\n")
	}},
}

// progress is a page that is sent while it grows. The goroutine that makes the page
// writes it; one that was given up writes no more.
type progress struct {
	framing
	x *exchange

	mu    sync.Mutex
	begun bool // the answer has: nothing else can be the answer any more
	over  bool
	sent  map[string]string // members, as JSON
}

// wanted returns how a client wants the page sent while it grows, nil if it does not.
func (x *exchange) wanted() *progress {
	if x.r.Method != http.MethodGet {
		return nil
	}
	f, ok := acceptsParts(x.r.Header["Accept"])
	if !ok {
		return nil
	}
	return &progress{framing: f, x: x, sent: make(map[string]string)}
}

// acceptsParts reads Accept (RFC 9110, 12.5.1): a framing that is named, unless the
// client would rather have the page whole.
func acceptsParts(lines []string) (found framing, ok bool) {
	best, whole, exact := 0.0, 0.0, 0
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(one, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			q := quality(parameters)
			if f, known := framings[name]; known && q > best {
				best, found, ok = q, f, true
			}
			if how := exactness(name); how > exact {
				exact, whole = how, q
			}
		}
	}
	return found, ok && best >= whole
}

// quality is the weight of a media range, which may have other parameters.
func quality(parameters string) float64 {
	for one := range strings.SplitSeq(parameters, ";") {
		if name, _, _ := strings.Cut(one, "="); strings.EqualFold(strings.TrimSpace(name), "q") {
			return weight(one)
		}
	}
	return 1
}

// exactness is how well a media range names JSON; 0: it does not.
func exactness(name string) int {
	switch name {
	case "*/*":
		return 1
	case "application/*":
		return 2
	case "application/json":
		return 3
	}
	return 0
}

// grown sends what is new of the page. It is called on the goroutine that makes it.
func (p *progress) grown(body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		var b bytes.Buffer
		p.add(&b, body)
		p.write(b.Bytes())
	}
}

// add writes the records that lead from what was sent to a page. One that is no object
// has no members, and is sent whole in the end.
func (p *progress) add(b *bytes.Buffer, body []byte) {
	if bytes.ContainsAny(body, "\r\n") { // it was made elsewhere, and records are lines
		body = compact(body)
	}
	names, now, ok := members(body)
	switch {
	case !ok:
		return
	case !p.begun:
		p.frame(b, recordPage, body)
		p.sent = now
		return
	}
	p.without(b, now)
	p.changed(b, names, now)
	p.sent = now
}

func (p *progress) without(b *bytes.Buffer, now map[string]string) {
	gone := []string{}
	for name := range p.sent {
		if _, there := now[name]; !there {
			gone = append(gone, name)
		}
	}
	if len(gone) > 0 {
		p.frame(b, recordWithout, marshal(gone))
	}
}

func (p *progress) changed(b *bytes.Buffer, names []string, now map[string]string) {
	var set bytes.Buffer
	for _, name := range names {
		if before, there := p.sent[name]; there && before == now[name] {
			continue
		}
		set.WriteString(map[bool]string{true: "{", false: ","}[set.Len() == 0])
		set.Write(marshal(name))
		set.WriteString(":" + now[name])
	}
	if set.Len() > 0 {
		set.WriteByte('}')
		p.frame(b, recordMembers, set.Bytes())
	}
}

// members splits an object. Names are in its order.
func members(body []byte) (names []string, values map[string]string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, false
	}
	values = make(map[string]string)
	for d.More() {
		t, err := d.Token()
		name, isName := t.(string)
		var value json.RawMessage
		if err != nil || !isName || d.Decode(&value) != nil {
			return nil, nil, false
		}
		names, values[name] = append(names, name), string(value)
	}
	end, err := d.Token()
	return names, values, err == nil && end == json.Delim('}')
}

// marshal encodes what cannot fail.
func marshal(v any) []byte {
	text, _ := json.Marshal(v) //nolint:errchkjson // of texts
	return text
}

// compact puts JSON on one line.
func compact(text []byte) []byte {
	var line bytes.Buffer
	_ = json.Compact(&line, text) // it is JSON
	return line.Bytes()
}

// write sends records, and with the first of them the header.
func (p *progress) write(records []byte) {
	if len(records) == 0 {
		return
	}
	x := p.x
	if !p.begun {
		p.begun = true
		h := x.w.Header()
		h["Cache-Control"] = pageCaching
		h["Content-Type"] = []string{p.contentType}
		x.writeHeader(http.StatusOK)
	}
	x.write(records)
	_ = http.NewResponseController(x.w).Flush() // who cannot, has it later
}

// closing is the record that ends a page.
type closingRecord struct {
	ETag   string `json:"etag,omitempty"`
	Parts  string `json:"parts,omitempty"`
	Timing string `json:"timing,omitempty"`
}

// end sends what is left of the page, and that it is whole.
func (p *progress) end(a adapter.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	p.add(&b, a.Body)
	if b.Len() == 0 && !p.begun {
		p.frame(&b, recordPage, compact(a.Body))
	}
	last := closingRecord{ETag: weakETag(a.Body), Parts: p.x.report.PartsHeader()}
	if p.x.r.Header.Get("Facet-Timing") == "1" {
		last.Timing = p.x.report.ServerTiming()
	}
	p.frame(&b, recordEnd, marshal(last))
	p.write(b.Bytes())
	p.over = true
}

// fail sends the problem that keeps a page that has begun from becoming whole. It
// reports false if none has: then the problem is the answer. A nil progress has not.
func (p *progress) fail(problem []byte) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.begun {
		var b bytes.Buffer
		p.frame(&b, recordProblem, compact(problem))
		p.write(b.Bytes())
	}
	return p.begun
}

// close lets nobody write any more. A nil progress is closed.
func (p *progress) close() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.over = true
	}
}

// answering reports whether the answer has begun. A nil progress has not.
func (p *progress) answering() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}
