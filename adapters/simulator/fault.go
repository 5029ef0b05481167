package simulator

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

const (
	maxLatency  = 10 * time.Minute
	maxDrip     = time.Minute
	maxCapacity = 100_000
)

// Fault is what is wrong with a service. The zero value is nothing. Latency,
// capacity and errors go with one of the others, except for Down; of Hang, Drip,
// Reset, Truncated, Garbage, WrongType, Deep, Oversize, Huge, Bomb and Down there can
// be one.
type Fault struct {
	Latency   time.Duration // before each answer, up to 10 min
	Spread    time.Duration // the latency varies evenly by up to this much, up or down
	Capacity  int           // requests served at once; 0: no limit
	Queue     int           // requests that may wait for capacity; further ones get 503 at once
	ErrorRate float64       // share of requests answered with Status, 0 to 1
	Status    int           // of errors, 400 to 599; 0: 500. Without ErrorRate, all answers are errors
	Drip      time.Duration // between one byte of the body and the next, up to 1 min
	Hang      bool          // no answer until the fault is replaced
	Reset     bool          // the connection is reset in the middle of the body
	Truncated bool          // 200 and the first half of the body, as if that were all of it
	Garbage   bool          // 200 and the type of JSON, and a body that is not
	WrongType bool          // 200 and a page of HTML
	Deep      bool          // a valid answer with 100,000 lists within each other
	Oversize  bool          // a valid answer of 8 MiB
	Huge      bool          // a valid answer of 1 GiB
	Bomb      bool          // 1 MiB of gzip that nobody asked for, of 1 GiB
	Down      bool          // connections are closed at once, open ones too
}

// ParseFault reads the text form of a fault: "" or "none", or fields with commas
// between them, as in "latency=50ms,spread=20ms,error=0.3" or "capacity=4,hang".
// Fields are latency, spread, capacity, queue, error, status, drip, hang, reset,
// truncated, garbage, wrongtype, deep, oversize, huge, bomb and down. The error names
// the field.
func ParseFault(text string) (Fault, error) {
	var f Fault
	text = strings.TrimSpace(text)
	if text == "" || text == "none" {
		return f, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, valued := strings.Cut(strings.TrimSpace(part), "=")
		if seen[name] {
			return Fault{}, fault.InvalidField(name, "it is given twice")
		}
		seen[name] = true
		if err := f.assign(name, value, valued); err != nil {
			return Fault{}, err
		}
	}
	return f, f.validate()
}

// String returns the text form, which ParseFault reads back; "none" of no fault.
func (f Fault) String() string {
	var parts []string
	for _, row := range fields {
		if text := row.text(&f); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ",")
}

// MarshalText returns the text form: a fault is a string in JSON and YAML.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is ParseFault; it serves flag.TextVar and decoders.
func (f *Fault) UnmarshalText(text []byte) error {
	parsed, err := ParseFault(string(text))
	if err != nil {
		return err
	}
	*f = parsed
	return nil
}

func (f *Fault) validate() error {
	checks := [...]struct {
		field string
		good  bool
		want  string
	}{
		{"latency", f.Latency >= 0 && f.Latency <= maxLatency, "it must lie between 0 and 10m"},
		{"spread", f.Spread >= 0 && f.Spread <= maxLatency, "it must lie between 0 and 10m"},
		{"capacity", f.Capacity >= 0 && f.Capacity <= maxCapacity, "it must lie between 0 and 100000"},
		{"queue", f.Queue >= 0 && f.Queue <= maxCapacity, "it must lie between 0 and 100000"},
		{"queue", f.Queue == 0 || f.Capacity > 0, "it needs a capacity"},
		{"error", !math.IsNaN(f.ErrorRate) && f.ErrorRate >= 0 && f.ErrorRate <= 1, "it must lie between 0 and 1"},
		{"status", f.Status == 0 || f.Status >= 400 && f.Status <= 599, "it must lie between 400 and 599"},
		{"drip", f.Drip >= 0 && f.Drip <= maxDrip, "it must lie between 0 and 1m"},
	}
	for _, check := range checks {
		if !check.good {
			return fault.InvalidField(check.field, check.want)
		}
	}
	return f.validateKinds()
}

func (f *Fault) validateKinds() error {
	var first string
	for _, row := range fields {
		if !row.alone || row.text(f) == "" {
			continue
		}
		if first != "" {
			return fault.InvalidField(row.name, fmt.Sprintf("it does not go with %s", first))
		}
		first = row.name
	}
	if f.Down && *f != (Fault{Down: true}) {
		return fault.InvalidField("down", "it goes with nothing else")
	}
	return nil
}

// errorStatus is the status of an error answer.
func (f *Fault) errorStatus() int {
	if f.Status == 0 {
		return http.StatusInternalServerError
	}
	return f.Status
}

// errorShare is the share of answers that are errors.
func (f *Fault) errorShare() float64 {
	if f.ErrorRate == 0 && f.Status != 0 {
		return 1
	}
	return f.ErrorRate
}
