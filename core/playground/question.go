package playground

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/devices"
)

// question is a request to try, as the page says it. Only Path is required.
type question struct {
	Path      string  `json:"path"`
	Query     string  `json:"query"`      // as it stands in a URL after the "?"
	Device    string  `json:"device"`     // of the device header; "": none is sent
	UserAgent string  `json:"user_agent"` // "": none is sent
	Version   string  `json:"version"`    // such as "phone/v2"; "": the one that the configuration chose
	User      string  `json:"user"`       // "": anybody
	Header    []entry `json:"header"`     // more of it
}

// entry is one line of a header.
type entry struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const userHeader = "X-User-Id" // of the public port

func (p *Playground) try(r *http.Request) (any, error) {
	var q question
	if err := read(r, &q); err != nil {
		return nil, err
	}
	version, err := p.version(q.Version)
	if err != nil {
		return nil, err
	}
	asked, err := q.request(r, p.Server.Live().Devices.Header())
	if err != nil {
		return nil, err
	}
	return tellTrial(p.Server.Try(version, asked)), nil
}

// version returns the one of a name such as "phone/v2"; nil if none is named.
func (p *Playground) version(label string) (*adapter.Version, error) {
	if label == "" {
		return nil, nil //nolint:nilnil // no version is a choice, too
	}
	class, name, _ := strings.Cut(label, "/")
	if v := p.Versions.Find(devices.Class(class), name); v != nil {
		return v, nil
	}
	return nil, fault.InvalidField("version", "there is no such version")
}

// request returns what net/http would have read. What it would have refused is
// refused here: the gateway need not expect it.
func (q *question) request(r *http.Request, deviceHeader string) (*http.Request, error) {
	target, err := q.target()
	if err != nil {
		return nil, err
	}
	asked := (&http.Request{
		Method: http.MethodGet, URL: target, RequestURI: target.RequestURI(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: r.Host, RemoteAddr: r.RemoteAddr, Body: http.NoBody, Header: make(http.Header),
	}).WithContext(r.Context())
	for _, line := range q.lines(deviceHeader) {
		if err := line.check(); err != nil {
			return nil, err
		}
		asked.Header.Add(line.Name, textproto.TrimString(line.Value))
	}
	return asked, nil
}

// line is a line of the header, and the field of the question that it is from.
type line struct {
	entry
	field string
}

func (q *question) lines(deviceHeader string) []line {
	var all []line
	for _, l := range []line{
		{entry{deviceHeader, q.Device}, "device"}, {entry{"User-Agent", q.UserAgent}, "user_agent"}, {entry{userHeader, q.User}, "user"},
	} {
		if l.Value != "" {
			all = append(all, l)
		}
	}
	for _, e := range q.Header {
		all = append(all, line{e, "header"})
	}
	return all
}

func (q *question) target() (*url.URL, error) {
	if !strings.HasPrefix(q.Path, "/") || strings.ContainsAny(q.Path, "?#") || !printable(q.Path) {
		return nil, fault.InvalidField("path", "must begin with / and hold no blank, ? or #")
	}
	if strings.Contains(q.Query, "#") || !printable(q.Query) {
		return nil, fault.InvalidField("query", "must hold no blank or #: percent-encode it")
	}
	target, err := url.ParseRequestURI(q.Path + "?" + q.Query)
	if err != nil {
		return nil, fault.InvalidField("path", "is not percent-encoded correctly")
	}
	return target, nil
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// check refuses a line that HTTP could not carry (RFC 9110, 5.1 and 5.5).
func (l line) check() error {
	switch {
	case l.Name == "" || strings.ContainsFunc(l.Name, func(c rune) bool { return !tokenRune(c) }):
		return fault.InvalidField(l.field, "the name "+strconv.Quote(l.Name)+" is not one of a header")
	case strings.ContainsFunc(l.Value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
		return fault.InvalidField(l.field, "the value of "+l.Name+" holds a control character")
	}
	return nil
}

func tokenRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}
