package rollout

import (
	"time"

	"github.com/facet-gateway/facet/devices"
)

// State is a document with what became of it: all that replicas agree on. Nobody
// changes one that others have; its changes return another.
type State struct {
	Revision uint64  `json:"revision"` // counts the changes from 1; 0: nobody has decided anything yet
	Document         // what is in force
	History  []Event `json:"history,omitempty"` // the last changes, the newest last
}

// Document is what people decide.
type Document struct {
	Classes map[devices.Class]*Layer `json:"classes,omitempty"`
}

// Layer is one class of devices: its control, and the rollouts among its units.
type Layer struct {
	Salt     string    `json:"salt,omitempty"`    // at most 64 bytes; another one puts all units into other buckets
	Control  string    `json:"control,omitempty"` // the version of all that no rollout says otherwise of; "": the configuration's
	Holdout  Percent   `json:"holdout,omitempty"` // the upper end of the buckets, which is in no rollout
	Rollouts []Rollout `json:"rollouts,omitempty"`

	// Quarantine holds versions that answer nobody, by their name, because of what
	// they did. Their units go to control.
	Quarantine map[string]Quarantine `json:"quarantine,omitempty"`
}

// Rollout gives a candidate a share of the units of a class.
type Rollout struct {
	Name      string  `json:"name"`                // matches [a-z][a-z0-9-]{0,63}; one of its own in the class
	Candidate string  `json:"candidate"`           // the version, such as "v2"
	Slice     Slice   `json:"slice"`               // of the class; no other rollout has any of it
	Share     Percent `json:"share"`               // of the units of the class, at most the slice
	Status    Status  `json:"status"`              // such as "running"
	Rules     Rules   `json:"rules,omitzero"`      // who takes part
	Plan      []Step  `json:"plan,omitempty"`      // how the share grows; its shares rise
	Automatic bool    `json:"automatic,omitempty"` // the plan advances it; else a person does
	Guard     *Guard  `json:"guard,omitempty"`
	Shadow    *Shadow `json:"shadow,omitempty"`

	// What the last change of the status or the share was; no document sets them.
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Status is what a rollout does.
type Status string

// The statuses. Only a running or paused rollout has a slice: those that have ended
// stay in the document, to be read, until somebody takes them out.
const (
	Running  Status = "running"
	Paused   Status = "paused"   // the share stays, and no plan advances it
	Aborted  Status = "aborted"  // all units are control again; only a person starts it again
	Promoted Status = "promoted" // the candidate has become the control of the class
)

// active reports whether the rollout has its slice.
func (r *Rollout) active() bool { return r.Status == Running || r.Status == Paused }

// Step is one share of a plan.
type Step struct {
	Share Percent  `json:"share"`
	Soak  Duration `json:"soak,omitempty"` // how long it lasts before the next step; at most 30 days
}

// Rules say who takes part in a rollout. Those who do not are control, and are not
// compared with the candidate.
type Rules struct {
	AppVersion AppVersions `json:"app_version,omitzero"`
	Countries  []string    `json:"countries,omitempty"` // such as "NL"; case does not matter
	Locales    []string    `json:"locales,omitempty"`   // such as "nl": also nl-BE; case does not matter

	// Allow are units that have the candidate in any case, whatever their bucket and
	// the rules above. They are not compared with control: they were not chosen by chance.
	Allow []string `json:"allow,omitempty"`
}

// AppVersions is a range of versions of a client app: numbers with dots between, of
// which the first counts most. Either end may be "".
type AppVersions struct {
	Min   string `json:"min,omitempty"`   // this one and above
	Below string `json:"below,omitempty"` // not this one
}

// Guard says by how much a candidate may be worse than control before the rollout is
// aborted. A limit of 0 is not looked at.
type Guard struct {
	MinSamples int     `json:"min_samples"`        // requests of each arm without which nothing is said; 20 to 1,000,000
	Alpha      float64 `json:"alpha,omitempty"`    // the chance that one as good as control is aborted in a step, 0.0001 to 0.1; 0: 0.01
	Errors     Percent `json:"errors,omitempty"`   // more requests that fail, in percent of all
	Degraded   Percent `json:"degraded,omitempty"` // more pages with a part that is stale, default or missing, in percent of all
	Panics     int     `json:"panics,omitempty"`   // requests of the candidate that panicked, in all; they need no control
	P50        float64 `json:"p50,omitempty"`      // a longer median, in percent of control's; at most 1,000
	P99        float64 `json:"p99,omitempty"`      // a longer 99th percentile, likewise
	Bytes      float64 `json:"bytes,omitempty"`    // a larger mean answer, likewise
	Hold       bool    `json:"hold,omitempty"`     // pause the rollout instead of aborting it
}

// Shadow has the candidate answer a sample of control's requests, too: nobody gets
// its answers, which are compared with control's.
type Shadow struct {
	Sample    Percent  `json:"sample"`              // of the requests of control
	Ignore    []string `json:"ignore,omitempty"`    // members that may differ, such as "/reviews/*/helpful" (RFC 6901, with * for any)
	Unordered []string `json:"unordered,omitempty"` // lists whose order does not matter, likewise
}

// Quarantine is why a version answers nobody.
type Quarantine struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`     // the replica that saw it
	Reason string    `json:"reason"` // what it did
}

// Event is one change of the state.
type Event struct {
	Revision uint64        `json:"revision"` // that it made
	At       time.Time     `json:"at"`
	By       string        `json:"by"`   // the operator, or the replica
	What     string        `json:"what"` // such as "start"
	Class    devices.Class `json:"class,omitempty"`
	Rollout  string        `json:"rollout,omitempty"`
	Detail   string        `json:"detail,omitempty"`
}

// Duration is a time.Duration that is written such as "10m".
type Duration time.Duration

// MarshalText writes it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return errDuration
	}
	*d = Duration(parsed)
	return nil
}
