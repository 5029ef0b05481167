package playground

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/server"
)

// trial is a [server.Trial] as the page reads it. Times are milliseconds.
type trial struct {
	Status   int     `json:"status"`
	Phrase   string  `json:"phrase"` // of the status, such as "Not Found"
	Header   []entry `json:"header"` // sorted
	Body     string  `json:"body"`   // unpacked
	Bytes    int     `json:"bytes"`  // as sent
	Version  string  `json:"version"`
	Device   *device `json:"device"` // null if the request came to none
	Parts    []part  `json:"parts"`
	Calls    []call  `json:"calls"` // by their beginning
	Budget   float64 `json:"budget_ms"`
	Took     float64 `json:"ms"`
	Runaways int     `json:"runaways"`
	Chosen   *choice `json:"chosen"` // null if the request came to no version
}

// choice is how the request came to its version.
type choice struct {
	assigned        // its version is the one that was to answer; unit "": nobody was assigned
	Control  string `json:"control"`
	Revision uint64 `json:"revision"`
	FellBack bool   `json:"fell_back"` // another version answered instead
	Because  string `json:"because,omitempty"`
}

// picked is the reason of a version that who tries has named.
const picked = "picked"

func tellChoice(c *server.Choice) *choice {
	told := choice{tellAssigned(c.Unit, &c.Assigned), c.Control, c.Revision, c.FellBack, text(c.Because)}
	if c.Picked {
		told.Reason = picked
	}
	return &told
}

type device struct {
	Class    string `json:"class"`
	By       string `json:"by"`
	Evidence string `json:"evidence"`
}

// mark is where a part or an answer stands.
type mark struct {
	Rung   string `json:"rung"`
	Age    int    `json:"age"` // in seconds
	Reason string `json:"reason,omitempty"`
}

type part struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	mark
	Holes int     `json:"holes"`
	Took  float64 `json:"ms"`
	Error string  `json:"error,omitempty"`
}

type call struct {
	Command string `json:"command"`
	Outcome string `json:"outcome"`
	mark
	Began    float64 `json:"began_ms"` // after the request
	Took     float64 `json:"ms"`
	Keys     int     `json:"keys"` // of a batch; 0: it is none
	Attempts int     `json:"attempts"`
	Bytes    int     `json:"bytes"`
	Error    string  `json:"error,omitempty"`
}

func tellTrial(t server.Trial) trial {
	told := trial{
		Status: t.Status, Phrase: phrase(t.Status), Header: lines(t.Header), Body: unpacked(t), Bytes: len(t.Body), Version: t.Version,
		Parts: make([]part, len(t.Parts)), Calls: make([]call, len(t.Calls)),
		Budget: millis(t.Budget), Took: millis(t.Took), Runaways: t.Runaways,
	}
	if p := t.Device.Profile; p != nil {
		told.Device = &device{string(p.Class), t.Device.By.String(), t.Device.Evidence}
	}
	if t.Version != "" {
		told.Chosen = tellChoice(&t.Chosen)
	}
	for i := range t.Parts {
		told.Parts[i] = tellPart(&t.Parts[i])
	}
	for i := range t.Calls {
		told.Calls[i] = tellCall(&t.Calls[i], t.Began)
	}
	slices.SortStableFunc(told.Calls, func(a, b call) int { return cmp.Compare(a.Began, b.Began) })
	return told
}

func tellPart(p *report.Part) part {
	told := part{Name: p.Name, Required: p.Required, mark: tellMark(p.Mark), Holes: p.Holes.Count, Took: millis(p.Took), Error: text(p.Err)}
	if told.Reason == "" {
		told.Reason = reason(p.Holes.Reason)
	}
	return told
}

func tellCall(c *report.Call, began time.Time) call {
	return call{
		Command: c.Command, Outcome: c.Outcome.String(), mark: tellMark(c.Mark), Began: millis(c.Began.Sub(began)), Took: millis(c.Took),
		Keys: c.Keys, Attempts: c.Attempts, Bytes: c.Bytes, Error: text(c.Err),
	}
}

func tellMark(m report.Mark) mark {
	return mark{m.Rung.String(), int(m.Age / time.Second), reason(m.Reason)}
}

func reason(r fault.Reason) string {
	if r == fault.None {
		return ""
	}
	return r.String()
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// phrase also knows the one status that is in no standard.
func phrase(status int) string {
	if status == fault.Canceled.Status() {
		return fault.Canceled.Title()
	}
	return http.StatusText(status)
}

func lines(h http.Header) []entry {
	var all []entry
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			all = append(all, entry{name, value})
		}
	}
	return all
}

// unpacked returns the body for people: what cannot be unpacked, as it is.
func unpacked(t server.Trial) string {
	if t.Header.Get("Content-Encoding") != "gzip" {
		return string(t.Body)
	}
	zip, err := gzip.NewReader(bytes.NewReader(t.Body))
	if err != nil {
		return string(t.Body)
	}
	plain, err := io.ReadAll(zip)
	if err != nil {
		return string(t.Body)
	}
	return string(plain)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
