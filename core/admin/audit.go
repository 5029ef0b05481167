package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/fault"
)

// Record is what the audit holds of one request. It never holds a header, a query
// or a body that was not understood: a token may be in them.
type Record struct {
	Time   time.Time       `json:"time"` // of its end
	Who    string          `json:"who"`  // the operator; "": nobody that is known
	From   string          `json:"from"` // ADDRESS:PORT of the other side
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Change json.RawMessage `json:"change,omitempty"` // the body as it was understood; too long a one is left out
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"` // why it was refused or failed

	// Unlogged is how many refusals before this one, since another record had it,
	// were not recorded but counted.
	Unlogged uint64 `json:"unlogged,omitempty"`
}

// The bounds of a record, in bytes.
const (
	longestMethod = 16
	longestText   = 256
	longestChange = 1024
)

// What is kept in memory: strangers cannot push out what operators did.
const (
	keptOfOperators = 150
	keptOfStrangers = 50
)

// recordKey is where a request in progress has its record.
const recordKey = "facet.audit"

func recordOf(r *http.Request, who string) *Record {
	return &Record{Who: who, From: r.RemoteAddr, Method: shorten(r.Method, longestMethod), Path: shorten(r.URL.Path, longestText)}
}

func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// outcome is what became of a request.
type outcome struct {
	status int
	err    error
}

// audit keeps who changed what: each change in the log, and the last of them in
// memory. What is refused costs whoever asks nothing, so that a flood of it would
// fill the log: refusals of strangers are recorded at 1 a second, 20 at once, and
// those of operators, whose scripts may run wild, at 10 a second, 100 at once. The
// others are counted, and the next record tells how many there were.
type audit struct {
	log *slog.Logger

	mu        sync.Mutex
	strangers bucket
	operators bucket
	unlogged  uint64 // since the last record
	all       uint64 // unlogged since the start
	known     []Record
	unknown   []Record
}

func newAudit(log *slog.Logger) *audit {
	return &audit{log: log, strangers: bucket{burst: 20, rate: 1}, operators: bucket{burst: 100, rate: 10}}
}

// add records a request with what became of it.
func (a *audit) add(rec *Record, o outcome) {
	rec.Time, rec.Status = time.Now(), o.status
	if o.err != nil {
		rec.Detail = shorten(o.err.Error(), longestText)
		if rec.Status = fault.CodeOf(o.err).Status(); o.status >= http.StatusBadRequest {
			rec.Status = o.status // what a router refuses has no code
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.admits(rec) {
		a.unlogged++
		a.all++
		return
	}
	rec.Unlogged, a.unlogged = a.unlogged, 0
	a.keep(rec)
	a.write(rec) // under the lock: the log has the order of the records
}

// admits reports whether a record has room. What was done always has, and what an
// operator may have done in part.
func (a *audit) admits(rec *Record) bool {
	switch {
	case rec.Status < http.StatusBadRequest:
		return true
	case rec.Who != "":
		return rec.Status >= http.StatusInternalServerError || a.operators.take(rec.Time)
	}
	return a.strangers.take(rec.Time)
}

func (a *audit) keep(rec *Record) {
	if rec.Who != "" {
		a.known = last(append(a.known, *rec), keptOfOperators)
		return
	}
	a.unknown = last(append(a.unknown, *rec), keptOfStrangers)
}

// last returns the last n records, in the same place.
func last(list []Record, n int) []Record {
	return slices.Delete(list, 0, max(0, len(list)-n))
}

// write logs a record, whatever the log's level is.
func (a *audit) write(rec *Record) {
	level := slog.LevelInfo
	if rec.Status >= http.StatusBadRequest {
		level = slog.LevelWarn
	}
	line := slog.NewRecord(rec.Time, level, "audit", 0)
	line.AddAttrs(
		slog.Bool("audit", true), slog.String("who", rec.Who), slog.String("from", rec.From),
		slog.String("method", rec.Method), slog.String("path", rec.Path), slog.String("change", string(rec.Change)),
		slog.Int("status", rec.Status), slog.String("detail", rec.Detail), slog.Uint64("unlogged", rec.Unlogged),
	)
	_ = a.log.Handler().Handle(context.Background(), line) // whoever writes the log tells of its failures
}

// end logs what was only counted, so that the sum is right.
func (a *audit) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unlogged > 0 {
		rec := &Record{Time: time.Now(), Unlogged: a.unlogged, Detail: "the port ends"}
		a.unlogged = 0
		a.write(rec)
	}
}

// records returns what is kept, the newest first, and how many were not.
func (a *audit) records() ([]Record, uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.Concat(a.known, a.unknown)
	slices.SortStableFunc(list, func(x, y Record) int { return y.Time.Compare(x.Time) })
	return list, a.all
}

func (a *Admin) auditTrail(c echo.Context) error {
	list, unlogged := a.audit.records()
	if list == nil {
		list = []Record{} // a list in JSON, even without elements
	}
	return tell(c, http.StatusOK, struct {
		Unlogged uint64   `json:"unlogged"` // refusals since the start that were only counted
		Records  []Record `json:"records"`  // the newest first; the last 200 at most
	}{unlogged, list})
}

// bucket admits burst things at once, and rate a second. Its zero time is a full one.
type bucket struct {
	burst, rate float64
	level       float64 // taken
	at          time.Time
}

func (b *bucket) take(now time.Time) bool {
	if leaked := now.Sub(b.at).Seconds() * b.rate; leaked > 0 {
		b.level, b.at = max(0, b.level-leaked), now
	}
	if b.level+1 > b.burst {
		return false
	}
	b.level++
	return true
}
