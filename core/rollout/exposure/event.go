package exposure

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// Event is a request that a version answered.
type Event struct {
	Class    devices.Class
	Assigned rollout.Assignment // its Version is the one that answered
	Fault    fault.Reason       // why another than the assigned version answered; [fault.None]: it did
	Revision uint64             // of the state that it was assigned by
	Unit     string             // "" is nobody, and not told
	Request  string             // its id
	Trace    report.Trace
	At       time.Time // of the request; zero: now
}

// identity is what tells two exposures of a window apart.
type identity struct {
	class    devices.Class
	assigned rollout.Assignment
	fault    fault.Reason
	unit     string
}

func (e *Event) identity() identity { return identity{e.Class, e.Assigned, e.Fault, e.Unit} }

// exposes reports whether the event is of interest: who is in no rollout saw what
// everybody sees, unless a tester asked for it.
func (e *Event) exposes() bool {
	return e.Unit != "" && (e.Assigned.Rollout != "" || e.Assigned.Why == rollout.Forced)
}

// The names of OpenTelemetry.
const (
	eventName    = "feature_flag.evaluation"
	providerName = "facet"
)

// attributes are those of OpenTelemetry, and Facet's own.
func (e *Event) attributes() []slog.Attr {
	all := make([]slog.Attr, 0, 12)
	all = append(all,
		slog.String("feature_flag.key", e.key()),
		slog.String("feature_flag.result.variant", string(e.Class)+"/"+e.Assigned.Version),
		slog.String("feature_flag.result.reason", e.reason()),
		slog.String("feature_flag.context.id", e.Unit),
		slog.String("feature_flag.version", strconv.FormatUint(e.Revision, 10)),
		slog.String("feature_flag.provider.name", providerName),
		slog.String("facet.arm", e.Assigned.Arm.String()),
	)
	if e.Fault != fault.None {
		all = append(all, slog.String("error.type", e.Fault.String()))
	}
	if e.Assigned.Why == rollout.Forced {
		all = append(all, slog.Bool("facet.forced", true))
	}
	return all
}

func (e *Event) key() string {
	if e.Assigned.Rollout == "" {
		return string(e.Class)
	}
	return string(e.Class) + "/" + e.Assigned.Rollout
}

// reason is one of OpenTelemetry's, which has no names for what is forced or
// quarantined.
func (e *Event) reason() string {
	switch {
	case e.Fault != fault.None:
		return "error"
	case e.Assigned.Why == rollout.Forced:
		return rollout.Targeted.String()
	case e.Assigned.Why == rollout.Quarantined, e.Assigned.Why == rollout.Absent:
		return "disabled"
	}
	return e.Assigned.Why.String()
}
